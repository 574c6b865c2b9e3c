import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const program = fileURLToPath(new URL('../testing/programs/app-program.ts', import.meta.url));

/** Runs the app program with a behaviour, and sends each signal after the given text. */
async function run(
  way: string,
  signals: readonly (readonly [after: string, signal: NodeJS.Signals])[] = [],
  file = '',
) {
  const child = spawn(process.execPath, [program, way, file]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const waiting = [...signals];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    const [next] = waiting;
    if (!next || !stdout.includes(next[0])) return;
    waiting.shift();
    child.kill(next[1]);
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s closes the app and exits with 0', async (signal) => {
  const ended = await run('well', [['started', signal]]);
  expect(ended).toEqual({ code: 0, stdout: 'started\nclosing\n', stderr: '' });
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends an app that is still starting', async (signal) => {
  const ended = await run('never starts', [['starting', signal]]);
  expect(ended).toEqual({ code: 0, stdout: 'starting\n', stderr: '' });
});

test('an app that cannot start prints the reason in one line and exits with 1', async () => {
  expect(await run('cannot start')).toEqual({ code: 1, stdout: '', stderr: 'port 1 is taken\n' });
});

test.each(['throws', 'rejects'])(
  'an app that %s without a handler prints the error, is closed and exits with 1',
  async (way) => {
    const ended = await run(way);
    expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining('closing') });
    expect(ended.stderr).toMatch(/^uncaught: Error: not caught\n/);
  },
);

test('an app that cannot close prints that and exits with 1', async () => {
  const ended = await run('cannot close', [['started', 'SIGTERM']]);
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^could not close: Error: stuck\n/) });
});

test('a second signal does not wait for an app that never closes', async () => {
  const ended = await run('never closes', [
    ['started', 'SIGTERM'],
    ['closing', 'SIGTERM'],
  ]);
  expect(ended).toMatchObject({ code: 1, stdout: 'started\nclosing\n' });
});

test('an app that exceeds its close timeout prints that and exits with 1', async () => {
  const ended = await run('closes too slowly', [['started', 'SIGTERM']]);
  expect(ended).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^could not close: Error: closing takes more than 50 ms\n/),
  });
});

test('a stuck thread does not prevent the process from exiting', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'run-until-signal-'));
  const fifo = join(folder.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const ended = await run('has a stuck thread', [['started', 'SIGTERM']], fifo);
  expect(ended).toEqual({ code: 0, stdout: 'started\nclosing\n', stderr: '' });
});

test('a second signal ends a process with a stuck thread', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'run-until-signal-'));
  const fifo = join(folder.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const signals = [
    ['started', 'SIGTERM'],
    ['closing', 'SIGTERM'],
  ] as const;
  const ended = await run('has a stuck thread and never closes', signals, fifo);
  expect(ended).toEqual({ code: 1, stdout: 'started\nclosing\n', stderr: '' });
});

test('a closed stderr does not prevent the process from exiting', async () => {
  const child = spawn(process.execPath, [program, 'loses its stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.destroy();
  const [code] = await once(child, 'exit');
  expect(code).toBe(1);
});

test('an error that cannot be printed closes the app, and it exits with 1', async () => {
  const ended = await run('throws what cannot be printed');
  expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining('closing') });
  expect(ended.stderr).toMatch(/^uncaught: /);
});

test('a password in a startup error is not printed', async () => {
  const { stderr } = await run('cannot start with a secret');
  expect(stderr).toBe('no answer from postgres://[Redacted]@host/db\n');
});
