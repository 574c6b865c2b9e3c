import { fstatSync, write as writeFile, writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';
import { prettyFormat } from './log-pretty.ts';

/** Buffer limit for a stalled stdout, in characters; lines beyond it are dropped. */
const maxWaitingLength = 4 * 1024 * 1024;
const retryMs = 100;
const stdoutFd = 1;

type Done = (error?: Error | null) => void;

export interface LineWriter extends DestinationStream {
  /** Resolves when all lines are written, or after the timeout. */
  flush(timeoutMs: number): Promise<void>;
}

let stdout: LineWriter | undefined;

/**
 * Returns the process's writer of lines to stdout. A reader that stops reading blocks neither the process nor its exit:
 * lines are buffered, and dropped beyond 4 MiB. If the reader is gone or the disk is full, only the lines are lost.
 */
export function stdoutDestination(): DestinationStream {
  stdout ??= createLineWriter(writerOf(stdoutFd));
  return stdout;
}

/** Resolves when the logged lines are written to stdout, or after the timeout. */
export async function flushLog(timeoutMs: number): Promise<void> {
  await stdout?.flush(timeoutMs);
}

/** Returns a destination that prints readable lines; undefined if stdout is not a terminal or pino-pretty is missing. */
export function prettyDestination(): DestinationStream | undefined {
  const format = process.stdout.isTTY ? prettyFormat() : undefined;
  if (!format) return undefined;
  const to = stdoutDestination();
  return { write: (line) => to.write(format(line)) };
}

/** Creates a writer of lines. Lines that arrive during a write go together in the next: a write costs more than a line. */
export function createLineWriter(write: (text: string, done: Done) => void): LineWriter {
  let buffered = '';
  let writingLength = 0;
  let dropped = 0;
  let isClosed = false;
  let isScheduled = false;
  const onIdle: (() => void)[] = [];

  const writeNext = () => {
    isScheduled = false;
    if (writingLength > 0 || buffered === '') return;
    const text = buffered + (dropped > 0 ? droppedLine(dropped) : '');
    buffered = '';
    dropped = 0;
    writingLength = text.length;
    write(text, (error) => {
      writingLength = 0;
      // A closed pipe stays closed. Other errors, such as a full disk, may pass: only their lines are lost.
      isClosed = isReaderGone(error);
      if (isClosed) buffered = '';
      if (buffered !== '') return writeNext();
      for (const each of onIdle.splice(0)) each();
    });
  };
  process.on('exit', () => {
    if (writingLength === 0) writeAtExit(buffered);
  });
  return {
    write: (line) => {
      if (isClosed) return;
      if (writingLength + buffered.length + line.length > maxWaitingLength) {
        dropped++;
        return;
      }
      buffered += line;
      if (isScheduled || writingLength > 0) return;
      isScheduled = true;
      setImmediate(writeNext);
    },
    flush: (timeoutMs) =>
      new Promise((resolve) => {
        if (writingLength === 0 && buffered === '') return resolve();
        const timer = setTimeout(resolve, timeoutMs);
        onIdle.push(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
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

/** Writes the last lines synchronously, as far as stdout accepts them. */
function writeAtExit(text: string): void {
  let bytes = Buffer.from(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(writeSync(stdoutFd, bytes));
  } catch {
    // The pipe is full or closed, or the disk is full. An exit handler cannot wait.
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
