import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtempDisposable, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const program = fileURLToPath(new URL('testing/log-program.ts', import.meta.url));

/** Starts the program with this stdout; its stderr is collected. */
function start(way: string, stdout: 'pipe' | number): ChildProcess & { readonly words: () => string } {
  const child = spawn(process.execPath, [program, way], { stdio: ['ignore', stdout, 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    words += text;
  });
  return Object.assign(child, { words: () => words });
}

const ended = async (child: ChildProcess) => {
  const [code, killedBy] = await once(child, 'exit');
  return { code, killedBy };
};

const alive = async (child: ReturnType<typeof start>, word: string) => {
  while (!child.words().includes(word)) await once(child.stderr ?? child, 'data');
};

/** A FIFO with a reader that never reads. */
async function stalledFifo() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'log-destination-'));
  const path = join(folder.path, 'fifo');
  execFileSync('mkfifo', [path]);
  return { fd: openSync(path, 'r+'), [Symbol.asyncDispose]: () => folder.remove() };
}

test.each(['floods', 'closes for ever'])(
  'SIGTERM ends a process that %s while its stdout is stalled',
  async (way) => {
    const child = start(way, 'pipe');
    await (way === 'floods' ? alive(child, 'alive 1') : once(child.stdout ?? child, 'readable'));
    child.kill('SIGTERM');
    expect(await ended(child)).toEqual({ code: way === 'floods' ? 0 : 1, killedBy: null });
  },
);

test('a FIFO that is stalled neither blocks the process nor keeps it from ending', async () => {
  await using fifo = await stalledFifo();
  const child = start('floods', fifo.fd);
  await alive(child, 'alive 1');
  child.kill('SIGTERM');
  expect(await ended(child)).toEqual({ code: 0, killedBy: null });
  closeSync(fifo.fd);
});

test('a process goes on when the reader of its stdout has gone away', async () => {
  const child = start('floods', 'pipe');
  child.stdout?.destroy();
  await alive(child, 'alive 1');
  child.kill('SIGTERM');
  expect(await ended(child)).toEqual({ code: 0, killedBy: null });
  expect(child.words()).toMatch(/^(alive \d\n)+$/);
});

test('a process goes on when the disk that takes its stdout is full', async () => {
  await using full = await open('/dev/full', 'w');
  const child = start('floods', full.fd);
  await alive(child, 'alive 1');
  child.kill('SIGTERM');
  expect(await ended(child)).toEqual({ code: 0, killedBy: null });
  expect(child.words()).toMatch(/^(alive \d\n)+$/);
});

test.each(['a pipe', 'a file'])(
  'lines of the last moment reach %s, also when the process exits at once',
  async (kind) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'log-destination-'));
    const path = join(folder.path, 'log');
    await using file = await open(path, 'w');
    const read = async (way: string, signal?: NodeJS.Signals) => {
      const child = start(way, kind === 'a pipe' ? 'pipe' : file.fd);
      let text = '';
      child.stdout?.setEncoding('utf8').on('data', (each) => {
        text += each;
      });
      if (signal) {
        while (!(kind === 'a pipe' ? text : await textOf(path)).includes('told'))
          await new Promise(setImmediate);
        child.kill(signal);
      }
      await once(child, 'close');
      return kind === 'a pipe' ? text : await textOf(path);
    };
    expect(await read('', 'SIGTERM')).toMatch(/"msg":"told"\}\n.*"msg":"closing"\}\n$/);
    expect(await read('exits at once')).toMatch(/"msg":"told"\}\n.*"msg":"last words"\}\n$/);
  },
);

async function textOf(path: string): Promise<string> {
  await using file = await open(path);
  return await file.readFile('utf8');
}
