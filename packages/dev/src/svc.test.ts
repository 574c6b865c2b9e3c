import { spawnSync } from 'node:child_process';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './repository/paths.ts';

function svc(...args: string[]) {
  return svcIn(root, ...args);
}

function svcIn(cwd: string, ...args: string[]) {
  const program = join(root, 'packages/dev/src/svc.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const list = /^ {2}([a-z]+) +[a-z]/gm;

test('--help lists the commands, and each command prints its usage', () => {
  const help = svc('--help');
  expect(help).toMatchObject({ status: 0, stderr: '' });
  const commands = [...help.stdout.matchAll(list)].map(([, name = '']) => name);
  expect(commands).toEqual(expect.arrayContaining(['start', 'call', 'generate', 'check', 'new']));
  for (const command of commands)
    expect(svc(command, '--help')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^usage: (npm (start|run [\w:]+)|npx svc [a-z]+)\b/),
      stderr: '',
    });
}, 60_000);

test('an unknown command is an error with the list of commands', () => {
  const { status, stderr } = svc('nothing');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^svc: unknown command nothing\nusage: svc COMMAND/);
});

test('an unknown option is an error with the usage of the command', () => {
  const { status, stderr } = svc('token', '--nothing');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^Unknown option '--nothing'.*\nusage: npx svc token /);
});

test('a project that is no copy of the template has the commands that work there, and no other', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'project-'));
  writeFileSync(join(folder.path, 'services.ts'), 'export const services = [];');
  const { stdout } = svcIn(folder.path, '--help');
  const commands = [...stdout.matchAll(list)].map(([, name = '']) => name);
  expect(commands).toEqual(['start', 'call', 'watch', 'token', 'certs', 'secrets', 'seed', 'check']);
  for (const command of commands) expect(svcIn(folder.path, command, '--help')).toMatchObject({ status: 0 });
  for (const command of ['generate', 'new'])
    expect(svcIn(folder.path, command)).toEqual({
      status: 1,
      stdout: '',
      stderr: `svc ${command} works in a copy of the template only\n`,
    });
  expect(svcIn(folder.path, 'check')).toMatchObject({
    status: 1,
    stderr: 'svc check works in a copy of the template only. svc check --only contract works everywhere\n',
  });
}, 60_000);
