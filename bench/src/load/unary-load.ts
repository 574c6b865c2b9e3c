import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
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
}

/** h2load costs a tenth of what a client in Node does; where it is not there, ours is the same for everybody. */
export const loadGenerator = spawnSync('h2load', ['--version']).status === 0 ? 'h2load' : 'http2-load.ts';

/**
 * Calls answered OK in a second.
 *
 * @param answerSizeBytes What an OK answer takes, by which h2load's count of bytes tells how many there were: it knows
 * nothing of gRPC's statuses.
 */
export async function unaryLoad(load: UnaryLoad, answerSizeBytes: number): Promise<number> {
  return loadGenerator === 'h2load' ? byH2load(load, answerSizeBytes) : byNode(load);
}

async function byH2load(load: UnaryLoad, answerSizeBytes: number): Promise<number> {
  const body = join(tmpdir(), `h2load-${process.pid}.bin`);
  await writeFile(body, Buffer.from(load.frame, 'hex'));
  const headers = Object.entries(load.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const output = await outputOf('h2load', [
    ...['-t1', `-c${load.connections}`, `-m${load.streams}`, `-D${load.seconds}`, `-d${body}`],
    ...headers,
    `http://127.0.0.1:${load.port}${load.path}`,
  ]);
  const [, data] = /\((\d+)\) data$/m.exec(output) ?? [];
  const [, failed] = /(\d+) failed, \d+ errored/.exec(output) ?? [];
  if (data === undefined || failed !== '0') throw new Error(`h2load failed:\n${output}`);
  return Number(data) / answerSizeBytes / load.seconds;
}

async function byNode(load: UnaryLoad): Promise<number> {
  const program = new URL('./http2-load.ts', import.meta.url).pathname;
  const { perSecond, failed } = JSON.parse(await outputOf(process.execPath, [program, JSON.stringify(load)]));
  if (failed > 0) throw new Error(`${failed} calls failed`);
  return perSecond;
}

async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawnPinned('load', command, args);
  if (!child.stdout) throw new Error('stdout is not piped');
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${output}`);
  return output;
}
