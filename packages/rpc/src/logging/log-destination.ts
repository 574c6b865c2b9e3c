import { fstatSync, write as writeFile, writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';
import { prettyFormat } from './log-pretty.ts';

/** Buffer limit for a stalled stdout, in characters; lines beyond it are dropped. */
const maxWaitingLength = 4 * 1024 * 1024;
const retryMs = 100;
const stdoutFd = 1;

type Done = (error?: Error | null) => void;

export interface LineWriter extends DestinationStream {
  /** Resolves when all lines are written, or when the time is over. */
  written(timeoutMs: number): Promise<void>;
}

let stdout: LineWriter | undefined;

/**
 * Returns the writer of lines to stdout, one for the process. A reader that stops reading blocks neither the process nor
 * its exit: lines wait, and are dropped beyond 4 MiB. A reader that has gone away, or a full disk, costs the lines only.
 */
export function stdoutLines(): DestinationStream {
  stdout ??= createLineWriter(writerOf(stdoutFd));
  return stdout;
}

/** Waits until stdout has taken the lines that were logged, no longer than the time. */
export async function flushLog(timeoutMs: number): Promise<void> {
  await stdout?.written(timeoutMs);
}

/** Returns a destination of lines for people to read, or undefined where stdout is no terminal or cannot have them. */
export function prettyLines(): DestinationStream | undefined {
  const format = process.stdout.isTTY ? prettyFormat() : undefined;
  if (!format) return undefined;
  const to = stdoutLines();
  return { write: (line) => to.write(format(line)) };
}

/**
 * Creates a writer of lines. While one write is under way the lines after it gather, and go together: a write a line costs
 * more than the line.
 */
export function createLineWriter(write: (text: string, done: Done) => void): LineWriter {
  let gathered = '';
  let writingLength = 0;
  let dropped = 0;
  let isClosed = false;
  let isScheduled = false;
  const onIdle: (() => void)[] = [];

  const writeNext = () => {
    isScheduled = false;
    if (writingLength > 0 || gathered === '') return;
    const text = gathered + (dropped > 0 ? droppedLine(dropped) : '');
    gathered = '';
    dropped = 0;
    writingLength = text.length;
    write(text, (error) => {
      writingLength = 0;
      // The reader has closed the pipe for good. Other errors, such as a full disk, can pass: their lines are lost.
      isClosed = isReaderGone(error);
      if (isClosed) gathered = '';
      if (gathered !== '') return writeNext();
      for (const each of onIdle.splice(0)) each();
    });
  };
  process.on('exit', () => {
    if (writingLength === 0) writeAtExit(gathered);
  });
  return {
    write: (line) => {
      if (isClosed) return;
      if (writingLength + gathered.length + line.length > maxWaitingLength) {
        dropped++;
        return;
      }
      gathered += line;
      if (isScheduled || writingLength > 0) return;
      isScheduled = true;
      setImmediate(writeNext);
    },
    written: (timeoutMs) =>
      new Promise((resolve) => {
        if (writingLength === 0 && gathered === '') return resolve();
        const timer = setTimeout(resolve, timeoutMs);
        onIdle.push(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

/**
 * A pipe or a socket is written without blocking by Node's own stream. Of files and terminals, where that stream blocks
 * the process, a thread writes.
 */
function writerOf(fd: number): (text: string, done: Done) => void {
  const kind = fstatSync(fd);
  if (!kind.isFIFO() && !kind.isSocket()) return (text, done) => writeAll(fd, Buffer.from(text), done);
  const { stdout: stream } = process;
  // Each error comes with the write that it failed, too.
  stream.on('error', () => {});
  return (text, done) => stream.write(text, done);
}

function writeAll(fd: number, bytes: Buffer, done: Done): void {
  writeFile(fd, bytes, (error, written) => {
    // Other processes of the terminal may have it not wait.
    if (error?.code === 'EAGAIN') setTimeout(writeAll, retryMs, fd, bytes, done);
    else if (error || written === bytes.length) done(error);
    else writeAll(fd, bytes.subarray(written), done);
  });
}

/** Writes the lines of the process's last moment, as far as stdout takes them at once. */
function writeAtExit(text: string): void {
  let bytes = Buffer.from(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(writeSync(stdoutFd, bytes));
  } catch {
    // A full pipe, a closed one, a full disk: there is no time left to wait.
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
