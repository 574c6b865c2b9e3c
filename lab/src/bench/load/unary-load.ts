import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { quantile } from './offered-load.ts';
import { spawnPinned } from './pinned-process.ts';

/** Many callers of one unary method, each with its next call as soon as the last one is over. */
export interface UnaryLoad {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The request as gRPC frames it, in hex. */
  readonly frame: string;
  readonly connections: number;
  /** Calls at a time on a connection. */
  readonly streams: number;
  readonly seconds: number;
  /** Whether to tell how long calls take, which costs the load generator a little. */
  readonly isTimed: boolean;
}

export interface UnaryOutcome {
  /** Calls answered OK. */
  readonly perSecond: number;
  /** Of all calls, as the load generator saw them; NaN unless they were timed. */
  readonly p99Ms: number;
}

/** h2load costs a tenth of what a client in Node does; where it is not there, ours is the same for everybody. */
export const loadGenerator = spawnSync('h2load', ['--version']).status === 0 ? 'h2load' : 'http2-load.ts';

/**
 * Makes the calls, and tells how many were answered OK.
 *
 * @param answerSizeBytes What an OK answer takes, by which h2load's count of bytes tells how many there were: it knows
 * nothing of gRPC's statuses.
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
    ...['-t1', `-c${load.connections}`, `-m${load.streams}`, `-D${load.seconds}`, `-d${body}`],
    ...(load.isTimed ? [`--log-file=${log}`] : []),
    ...headers,
    `http://127.0.0.1:${load.port}${load.path}`,
  ]);
  const [, data] = /\((\d+)\) data$/m.exec(output) ?? [];
  const [, failed] = /(\d+) failed, \d+ errored/.exec(output) ?? [];
  if (data === undefined || failed !== '0') throw new Error(`h2load failed:\n${output}`);
  const p99Ms = load.isTimed ? quantile(await loggedMs(log), 0.99) : Number.NaN;
  return { perSecond: Number(data) / answerSizeBytes / load.seconds, p99Ms };
}

/** The duration of each call, from the log that h2load writes: start, status, and duration in µs. It is removed. */
async function loggedMs(log: string): Promise<number[]> {
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
  await rm(log);
  return lines.map((line) => Number(line.split('\t')[2]) / 1000);
}

async function byNode(load: UnaryLoad): Promise<UnaryOutcome> {
  const program = new URL('./http2-load.ts', import.meta.url).pathname;
  const { perSecond, p99Ms, failed } = JSON.parse(
    await outputOf(process.execPath, [program, JSON.stringify(load)]),
  );
  if (failed > 0) throw new Error(`${failed} calls failed`);
  return { perSecond, p99Ms: p99Ms ?? Number.NaN };
}

async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawnPinned('load', command, args);
  if (!child.stdout) throw new Error('stdout is not piped');
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${output}`);
  return output;
}
