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

test.each<[command: string, problem: string]>([
  ['strat', 'unknown command strat: did you mean start?'],
  ['nothing', 'unknown command nothing: npx svc --help lists the commands'],
  ['--nothing', 'unknown option --nothing: npx svc --help lists the commands'],
  ['token --subb alice', 'unknown option --subb: did you mean --sub?'],
  ['token --nothing', 'unknown option --nothing: npx svc token --help lists the options'],
  ['token --hlp', 'unknown option --hlp: did you mean --help?'],
  ['token -x', 'unknown option -x: npx svc token --help lists the options'],
  ['token --sub', '--sub needs a value: --sub NAME'],
  ['token --sub --ttl 5', '--sub needs a value. One that begins with a hyphen is written --sub=--ttl'],
  [
    'token --sub alice',
    '--scopes is missing. Usage: npx svc token --sub NAME --scopes "SCOPE SCOPE" [OPTIONS]',
  ],
  ['token --sub a --scopes b --ttl 1.5', '--ttl must be an integer, 1 or more, not "1.5"'],
  [
    'token alice',
    'unexpected argument alice. Usage: npx svc token --sub NAME --scopes "SCOPE SCOPE" [OPTIONS]',
  ],
  ['secrets', 'FOLDER is missing. Usage: npx svc secrets FOLDER [OPTIONS]'],
  ['secrets . --kustomize=yes', '--kustomize takes no value'],
  ['check --only contracts', '--only must be all or contract, not "contracts"'],
  [
    'call policy.v1.Nothing/GetNothing',
    'unknown method policy.v1.Nothing/GetNothing: npx svc call --help lists the methods',
  ],
])('svc %s is one line of stderr and exit code 2', (line, problem) => {
  expect(svc(...line.split(' '))).toEqual({ status: 2, stdout: '', stderr: `${problem}\n` });
});

test('a project that is no copy of the template has the commands that work there, and no other', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'project-'));
  writeFileSync(join(folder.path, 'services.ts'), 'export const services = [];');
  const { stdout } = svcIn(folder.path, '--help');
  const commands = [...stdout.matchAll(list)].map(([, name = '']) => name);
  expect(commands).toEqual([
    'start',
    'restart',
    'call',
    'watch',
    'token',
    'certs',
    'secrets',
    'bundle',
    'seed',
    'check',
  ]);
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
