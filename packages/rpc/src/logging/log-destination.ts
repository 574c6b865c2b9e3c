import { fstatSync, write as writeFile, writeSync } from 'node:fs';
import { prettyFormat } from './log-pretty.ts';

/** Buffer limit for a stalled stdout, in bytes; lines beyond it are dropped. */
const maxBufferedBytes = 4 * 1024 * 1024;
/** Number of buffered bytes that are written without waiting for more. Half of Linux's pipe, which takes them in one write. */
const pieceBytes = 32 * 1024;
/** Time that a line waits for the next ones. A caller in turn makes over 100 calls in it, so 1 call in 100 waits for a write. */
const maxDelayMs = 50;
const retryMs = 100;
/** Time for which an exiting process waits for a slow reader of a full pipe, and the pause between two attempts. */
const [maxExitWaitMs, exitPauseMs] = [1000, 5];
const stdoutFd = 1;

type Done = (error?: Error | null) => void;

export interface LogDestination {
  /**
   * Takes a line. Never throws, and never waits.
   *
   * @param sizeBytes Size of the line in UTF-8.
   * @param isUrgent Whether to write the line, and those before it, at the end of this turn of the event loop.
   */
  write(line: string, sizeBytes: number, isUrgent: boolean): void;
}

export interface LineWriter extends LogDestination {
  /** Writes the buffered lines. Resolves when they are written, or after the timeout. */
  flush(timeoutMs: number): Promise<void>;
  /** Writes the buffered lines synchronously, as far as stdout accepts them within a second; none while a write is in progress. */
  flushSync(): void;
}

let stdout: LineWriter | undefined;

/**
 * Returns the process's writer of lines to stdout. A reader that stops reading blocks neither the process nor its exit:
 * lines are buffered, and dropped beyond 4 MiB. If the reader is gone or the disk is full, only the lines are lost.
 */
export function stdoutDestination(): LogDestination {
  stdout ??= createLineWriter(writerOf(stdoutFd));
  return stdout;
}

/** Writes the buffered lines to stdout. Resolves when they are written, or after the timeout. */
export async function flushLog(timeoutMs: number): Promise<void> {
  await stdout?.flush(timeoutMs);
}

/** Writes the buffered lines to stdout before the process ends in this turn of the event loop. */
export function flushLogSync(): void {
  stdout?.flushSync();
}

/** Returns a destination that prints readable lines; undefined if stdout is not a terminal or pino-pretty is missing. */
export function prettyDestination(): LogDestination | undefined {
  const format = process.stdout.isTTY ? prettyFormat() : undefined;
  if (!format) return undefined;
  const to = stdoutDestination();
  return {
    write: (line, _sizeBytes, isUrgent) => {
      const text = format(line);
      to.write(text, Buffer.byteLength(text), isUrgent);
    },
  };
}

/**
 * Creates a writer of lines, which are written in pieces, because a write costs more than a line: after 50 ms, at 32 KiB,
 * or with an urgent line, one write at a time. Lines that arrive during a write wait for the next one. The rest is written
 * when the process exits: a process that has nothing else to do waits until stdout accepts it, and `process.exit` waits up to
 * a second. A process that is killed (SIGKILL, out of memory, a loss of power) loses the buffered lines: those of its last
 * 50 ms, and all behind a write that stdout has not accepted.
 *
 * @param write Writes a text without blocking.
 */
export function createLineWriter(write: (text: string, done: Done) => void): LineWriter {
  let buffered = '';
  let bufferedBytes = 0;
  let writingBytes = 0;
  let dropped = 0;
  let isClosed = false;
  /** Whether the next write begins at the end of this turn, or of the current write. */
  let isDue = false;
  let timer: NodeJS.Timeout | undefined;
  const onIdle: (() => void)[] = [];

  const take = () => {
    const text = buffered + (dropped > 0 ? droppedLine(dropped) : '');
    buffered = '';
    bufferedBytes = 0;
    dropped = 0;
    return text;
  };
  const writeNext = () => {
    clearTimeout(timer);
    timer = undefined;
    isDue = false;
    if (bufferedBytes === 0) return;
    writingBytes = bufferedBytes;
    write(take(), (error) => {
      writingBytes = 0;
      // A closed pipe stays closed. Other errors, such as a full disk, may pass: only their lines are lost.
      isClosed = isReaderGone(error);
      if (isClosed) take();
      if (isDue || onIdle.length > 0) writeNext();
      if (writingBytes === 0) for (const each of onIdle.splice(0)) each();
    });
  };
  const writeSoon = () => {
    if (isDue) return;
    isDue = true;
    // The response of the call that logs is sent first.
    if (writingBytes === 0) setImmediate(writeNext);
  };
  const flushSync = () => {
    if (writingBytes === 0 && bufferedBytes > 0) writeAtExit(take());
  };
  // The timer does not keep the process running.
  process.on('beforeExit', () => {
    if (bufferedBytes > 0) writeSoon();
  });
  process.on('exit', flushSync);
  return {
    write: (line, sizeBytes, isUrgent) => {
      if (isClosed) return;
      if (writingBytes + bufferedBytes + sizeBytes > maxBufferedBytes) {
        dropped++;
        return;
      }
      buffered += line;
      bufferedBytes += sizeBytes;
      if (isUrgent || bufferedBytes >= pieceBytes) writeSoon();
      else timer ??= setTimeout(writeSoon, maxDelayMs).unref();
    },
    flush: (timeoutMs) =>
      new Promise((resolve) => {
        if (writingBytes === 0 && bufferedBytes === 0) return resolve();
        writeSoon();
        const timeout = setTimeout(resolve, timeoutMs);
        onIdle.push(() => {
          clearTimeout(timeout);
          resolve();
        });
      }),
    flushSync,
  };
}

/**
 * Returns a function that writes without blocking. To a pipe or a socket Node's own stream writes. That stream blocks on
 * files and terminals, to which a thread writes instead.
 */
function writerOf(fd: number): (text: string, done: Done) => void {
  const kind = fstatSync(fd);
  if (!kind.isFIFO() && !kind.isSocket()) return (text, done) => writeAll(fd, Buffer.from(text), done);
  const { stdout: stream } = process;
  // Errors are also passed to the callback of their write.
  stream.on('error', () => {});
  return (text, done) => stream.write(text, done);
}

function writeAll(fd: number, bytes: Buffer, done: Done): void {
  writeFile(fd, bytes, (error, written) => {
    // Another process may have set the terminal to non-blocking.
    if (error?.code === 'EAGAIN') setTimeout(writeAll, retryMs, fd, bytes, done);
    else if (error || written === bytes.length) done(error);
    else writeAll(fd, bytes.subarray(written), done);
  });
}

/** Writes the last lines synchronously, as far as stdout accepts them within a second. */
function writeAtExit(text: string): void {
  const endMs = performance.now() + maxExitWaitMs;
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(stdoutFd, bytes));
    } catch (error) {
      // The pipe is closed, or the disk is full.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > endMs) return;
      // The pipe is full. An exit handler can wait only by blocking.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, exitPauseMs);
    }
  }
}

function isReaderGone(error: Error | null | undefined): boolean {
  const code = (error as NodeJS.ErrnoException | null | undefined)?.code ?? '';
  return ['EPIPE', 'ECONNRESET', 'EBADF', 'ERR_STREAM_DESTROYED'].includes(code);
}

function droppedLine(count: number): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ level: 'warn', time, pid: process.pid, msg: 'lines dropped', dropped: count })}\n`;
}
