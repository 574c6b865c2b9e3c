import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { mkdtempDisposable, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLineWriter } from './log-destination.ts';

/** A writer whose writes the test completes. */
function heldWriter() {
  const writes: { readonly text: string; readonly done: (error?: Error) => void }[] = [];
  const writer = createLineWriter((text, done) => writes.push({ text, done }));
  const log = (line: string, isUrgent = false) => writer.write(line, Buffer.byteLength(line), isUrgent);
  const nextWrite = async (count: number) => {
    while (writes.length < count) await new Promise(setImmediate);
    return writes[count - 1] ?? expect.unreachable();
  };
  return { writer, log, writes, nextWrite };
}

test('lines are written together 50 ms after the first', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { log, writes } = heldWriter();
  log('first\n');
  vi.advanceTimersByTime(30);
  log('second\n');
  vi.advanceTimersByTime(19);
  expect(writes).toHaveLength(0);
  vi.advanceTimersByTime(2);
  expect(writes.map(({ text }) => text)).toEqual(['first\nsecond\n']);
});

test.each([
  ['an urgent line', 'urgent\n', true],
  ['32 KiB', 'x'.repeat(32 * 1024), false],
])('%s is written at the end of the turn, with the lines before', (_case, line, isUrgent) => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { log, writes } = heldWriter();
  log('first\n');
  log(line, isUrgent);
  expect(writes).toHaveLength(0);
  vi.advanceTimersByTime(0);
  expect(writes.map(({ text }) => text)).toEqual([`first\n${line}`]);
  // Urgent or not, there is one write at a time.
  log(line, isUrgent);
  vi.advanceTimersByTime(1000);
  expect(writes).toHaveLength(1);
  writes[0]?.done();
  expect(writes).toHaveLength(2);
});

test('lines beyond 4 MiB are dropped, and counted in a later line', async () => {
  const { writer, log, nextWrite } = heldWriter();
  // A line of 1 KiB, of half as many characters.
  const line = `${'é'.repeat(511)}x\n`;
  for (let count = 0; count < 5000; count++) log(line);
  const first = await nextWrite(1);
  // Lines that are being written count, too.
  for (let count = 0; count < 100; count++) log(line);
  expect(Buffer.byteLength(first.text)).toBeLessThan(4 * 1024 * 1024 + 1000);
  expect(first.text).toMatch(/"msg":"lines dropped","dropped":904\}\n$/);
  first.done();
  log('next\n');
  const second = await nextWrite(2);
  expect(second.text).toMatch(/^next\n.*"dropped":10[01]\}\n$/);
  second.done();
  await writer.flush(10_000);
});

test('nothing is written after the reader has closed the pipe', async () => {
  const { writer, log, writes, nextWrite } = heldWriter();
  log('first\n');
  const { done } = await nextWrite(1);
  log('second\n');
  done(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
  log('third\n');
  await writer.flush(10_000);
  expect(writes).toHaveLength(1);
});

test('lines after a failed write are written', async () => {
  const { writer, log, nextWrite } = heldWriter();
  log('first\n');
  const { done } = await nextWrite(1);
  log('second\n');
  done(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  const second = await nextWrite(2);
  expect(second.text).toBe('second\n');
  second.done();
  await writer.flush(10_000);
});

const program = fileURLToPath(new URL('../testing/programs/log-program.ts', import.meta.url));

/** Starts the program with this stdout and collects its stderr. */
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
  return { path, fd: openSync(path, 'r+'), [Symbol.asyncDispose]: () => folder.remove() };
}

test.each(['floods', 'never closes'])(
  'SIGTERM ends a process that %s while its stdout is stalled',
  async (way) => {
    const child = start(way, 'pipe');
    await (way === 'floods' ? alive(child, 'alive 1') : once(child.stdout ?? child, 'readable'));
    child.kill('SIGTERM');
    expect(await ended(child)).toEqual({ code: way === 'floods' ? 0 : 1, killedBy: null });
  },
);

test('a stalled FIFO neither blocks the process nor prevents its exit', async () => {
  await using fifo = await stalledFifo();
  const child = start('floods', fifo.fd);
  await alive(child, 'alive 1');
  child.kill('SIGTERM');
  expect(await ended(child)).toEqual({ code: 0, killedBy: null });
  closeSync(fifo.fd);
});

test('a process continues when the reader of its stdout is gone', async () => {
  const child = start('floods', 'pipe');
  child.stdout?.destroy();
  await alive(child, 'alive 1');
  child.kill('SIGTERM');
  expect(await ended(child)).toEqual({ code: 0, killedBy: null });
  expect(child.words()).toMatch(/^(alive \d\n)+$/);
});

test('a process continues when the disk of its stdout is full', async () => {
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
      let output = '';
      child.stdout?.setEncoding('utf8').on('data', (each) => {
        output += each;
      });
      if (signal) {
        while (!(kind === 'a pipe' ? output : await textOf(path)).includes('told'))
          await new Promise(setImmediate);
        child.kill(signal);
      }
      await once(child, 'close');
      return kind === 'a pipe' ? output : await textOf(path);
    };
    expect(await read('', 'SIGTERM')).toMatch(/"msg":"told"\}\n.*"msg":"closing"\}\n$/);
    expect(await read('exits at once')).toMatch(/"msg":"told"\}\n.*"msg":"last words"\}\n$/);
  },
);

/** Resolves when the main thread of the process waits, or has ended. */
async function untilAsleep({ pid }: ChildProcess): Promise<void> {
  while (/\) [RD] /.test(await textOf(`/proc/${pid}/stat`))) await new Promise(setImmediate);
}

/** Reads or writes without blocking until the FIFO is empty or full. Returns the number of bytes. */
function untilBlocked(step: () => number): number {
  let sizeBytes = 0;
  try {
    for (;;) sizeBytes += step();
  } catch (error) {
    expect(error).toMatchObject({ code: 'EAGAIN' });
    return sizeBytes;
  }
}

test.each(['ends by itself', 'exits behind a full pipe'])(
  'a process that %s waits for a slow reader of its last lines',
  async (way) => {
    await using fifo = await stalledFifo();
    const fd = openSync(fifo.path, constants.O_RDWR | constants.O_NONBLOCK);
    const filledBytes = untilBlocked(() => writeSync(fd, 'x'));
    const child = start(way, fifo.fd);
    const end = ended(child);
    await alive(child, 'ending');
    await untilAsleep(child);
    let output = '';
    const buffer = Buffer.alloc(64 * 1024);
    const read = () =>
      untilBlocked(() => {
        const sizeBytes = readSync(fd, buffer);
        output += buffer.toString('utf8', 0, sizeBytes);
        return sizeBytes;
      });
    while (child.exitCode === null && child.signalCode === null) {
      read();
      await new Promise(setImmediate);
    }
    await end;
    read();
    expect(output.slice(filledBytes)).toMatch(/"msg":"last words"\}\n$/);
    closeSync(fd);
    closeSync(fifo.fd);
  },
);

async function textOf(path: string): Promise<string> {
  await using file = await open(path);
  return await file.readFile('utf8');
}

/** Runs the program to its end, and returns the messages of its lines. */
async function messagesOf(way: string) {
  const child = start(way, 'pipe');
  const [output, end] = await Promise.all([text(child.stdout ?? expect.unreachable()), ended(child)]);
  const messages = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).msg);
  return { ...end, messages };
}

test.each([
  ['throws', { code: 1, killedBy: null, messages: ['told', 'last words', 'closing'] }],
  ['rejects', { code: 1, killedBy: null, messages: ['told', 'last words', 'closing'] }],
  ['throws in a bare process', { code: 1, killedBy: null, messages: ['told', 'last words'] }],
  ['gets two signals', { code: 1, killedBy: null, messages: ['told', 'closing'] }],
  ['is killed after an error', { code: null, killedBy: 'SIGKILL', messages: ['told', 'last words'] }],
])('no line is lost when a process %s', async (way, end) => {
  expect(await messagesOf(way)).toEqual(end);
});
