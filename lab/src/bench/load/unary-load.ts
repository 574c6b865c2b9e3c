import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { quantile } from '../../harness/quantile.ts';
import { spawnPinned } from './pinned-process.ts';

/** Callers of one unary method in a closed loop. */
export interface UnaryLoad {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The request with its gRPC frame, in hex. */
  readonly frame: string;
  readonly connections: number;
  /** Concurrent calls per connection. */
  readonly streams: number;
  readonly seconds: number;
  /** Whether to measure durations, at a small cost. */
  readonly isTimed: boolean;
}

export interface UnaryOutcome {
  /** Number of OK calls. */
  readonly count: number;
  readonly perSecond: number;
  /** p99 of all calls. NaN unless `isTimed`. */
  readonly p99Ms: number;
}

/** h2load uses a tenth of the CPU of a Node client. Where it is not installed, all contenders get the same Node client. */
export const loadGenerator = spawnSync('h2load', ['--version']).status === 0 ? 'h2load' : 'http2-load.ts';

/**
 * Makes the calls and counts the OK ones.
 *
 * @param answerSizeBytes Size of an OK response. h2load does not know gRPC status codes, so the number of OK calls is
 * derived from the received bytes.
 */
export async function unaryLoad(load: UnaryLoad, answerSizeBytes: number): Promise<UnaryOutcome> {
  return loadGenerator === 'h2load' ? byH2load(load, answerSizeBytes) : byNode(load);
}

async function byH2load(load: UnaryLoad, answerSizeBytes: number): Promise<UnaryOutcome> {
  const body = join(tmpdir(), `h2load-${process.pid}.bin`);
  await writeFile(body, Buffer.from(load.frame, 'hex'));
  const log = join(tmpdir(), `h2load-${process.pid}.log`);
  const headers = Object.entries(load.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const output = await outputOf('h2load', [
    ...[
      '-t1',
      `-c${load.connections}`,
      `-m${load.streams}`,
      `-D${Math.round(load.seconds * 1000)}ms`,
      `-d${body}`,
    ],
    ...(load.isTimed ? [`--log-file=${log}`] : []),
    ...headers,
    `http://127.0.0.1:${load.port}${load.path}`,
  ]);
  const [, data] = /\((\d+)\) data$/m.exec(output) ?? [];
  const [, failed] = /(\d+) failed, \d+ errored/.exec(output) ?? [];
  if (data === undefined || failed !== '0') throw new Error(`h2load failed:\n${output}`);
  const p99Ms = load.isTimed ? (quantile(await loggedMs(log), 0.99) ?? Number.NaN) : Number.NaN;
  const count = Number(data) / answerSizeBytes;
  return { count, perSecond: count / load.seconds, p99Ms };
}

/** Reads the durations from the log of h2load (start, status, duration in µs) and removes it. */
async function loggedMs(log: string): Promise<number[]> {
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
  await rm(log);
  return lines.map((line) => Number(line.split('\t')[2]) / 1000);
}

async function byNode(load: UnaryLoad): Promise<UnaryOutcome> {
  const program = fileURLToPath(new URL('./http2-load.ts', import.meta.url));
  const { count, perSecond, p99Ms, failed } = JSON.parse(
    await outputOf(process.execPath, [program, JSON.stringify(load)]),
  );
  if (failed > 0) throw new Error(`${failed} calls failed`);
  return { count, perSecond, p99Ms: p99Ms ?? Number.NaN };
}

async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawnPinned('load', command, args);
  if (!child.stdout) throw new Error('stdout is not piped');
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${output}`);
  return output;
}
