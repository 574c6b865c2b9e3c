import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const program = fileURLToPath(new URL('../testing/programs/app-program.ts', import.meta.url));

/** Runs the app this way, and signals it after each of these words. */
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

test.each(['SIGTERM', 'SIGINT'] as const)('ensure %s closes the app and exits 0', async (signal) => {
  const ended = await run('well', [['started', signal]]);
  expect(ended).toEqual({ code: 0, stdout: 'started\nclosing\n', stderr: '' });
});

test.each(['SIGTERM', 'SIGINT'] as const)('ensure %s ends an app that is still starting', async (signal) => {
  const ended = await run('starts for ever', [['starting', signal]]);
  expect(ended).toEqual({ code: 0, stdout: 'starting\n', stderr: '' });
});

test('ensure what cannot start says why in one line and exits 1', async () => {
  expect(await run('cannot start')).toEqual({ code: 1, stdout: '', stderr: 'port 1 is taken\n' });
});

test.each(['throws', 'rejects'])(
  'ensure an app that %s where nobody catches is told, closed and exits 1',
  async (way) => {
    const ended = await run(way);
    expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining('closing') });
    expect(ended.stderr).toMatch(/^uncaught: Error: nobody caught it\n/);
  },
);

test('ensure an app that cannot close says so and exits 1', async () => {
  const ended = await run('cannot close', [['started', 'SIGTERM']]);
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^could not close: Error: stuck\n/) });
});

test('ensure a second signal does not wait for what closes for ever', async () => {
  const ended = await run('closes for ever', [
    ['started', 'SIGTERM'],
    ['closing', 'SIGTERM'],
  ]);
  expect(ended).toMatchObject({ code: 1, stdout: 'started\nclosing\n' });
});

test('an app that closes longer than it may exits 1, and says so', async () => {
  const ended = await run('closes too slowly', [['started', 'SIGTERM']]);
  expect(ended).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^could not close: Error: closing takes more than 50 ms\n/),
  });
});

test('a thread that is stuck does not keep the process from ending', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'run-until-signal-'));
  const fifo = join(folder.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const ended = await run('has a stuck thread', [['started', 'SIGTERM']], fifo);
  expect(ended).toEqual({ code: 0, stdout: 'started\nclosing\n', stderr: '' });
});

test('a second signal ends a process with a thread that is stuck', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'run-until-signal-'));
  const fifo = join(folder.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const signals = [
    ['started', 'SIGTERM'],
    ['closing', 'SIGTERM'],
  ] as const;
  const ended = await run('has a stuck thread and closes for ever', signals, fifo);
  expect(ended).toEqual({ code: 1, stdout: 'started\nclosing\n', stderr: '' });
});

test('a stderr that nothing reads any more does not keep the process from ending', async () => {
  const child = spawn(process.execPath, [program, 'loses its stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.destroy();
  const [code] = await once(child, 'exit');
  expect(code).toBe(1);
});

test('an error that cannot be printed closes the app, and exits 1', async () => {
  const ended = await run('throws what cannot be printed');
  expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining('closing') });
  expect(ended.stderr).toMatch(/^uncaught: /);
});

test('a password in an error of the start is not printed', async () => {
  const { stderr } = await run('cannot start with a secret');
  expect(stderr).toBe('no answer from postgres://[Redacted]@host/db\n');
});
