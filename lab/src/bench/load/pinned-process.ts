import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { availableParallelism, devNull } from 'node:os';

/** Where a process is to run: what serves and what asks do not take each other's time. */
export type Core = 'server' | 'load';

const cores: Record<Core, string> = { server: '0', load: '1' };
const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

/** How processes are placed, for the report. */
export const placement = canPin ? 'server and load pinned to a core each' : 'not pinned';

export function spawnPinned(core: Core, command: string, args: readonly string[]): ChildProcess {
  const [file = '', ...rest] = canPin ? ['taskset', '-c', cores[core], command, ...args] : [command, ...args];
  return spawn(file, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
}

export interface BenchProcess extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Sends it a message, and gives its answer. Rejects when it ends before that. */
  // biome-ignore lint/suspicious/noExplicitAny: what it answers is between the two programs.
  ask(message: object): Promise<any>;
}

/** Starts a program that sends its parent `{port}` when it is ready. Its stdout, where logs go, is written to a file. */
export async function startBenchProcess(
  name: string,
  core: Core,
  program: URL,
  args: readonly string[],
  logFile = devNull,
): Promise<BenchProcess> {
  const node = [program.pathname, ...args];
  const [file = '', ...rest] = canPin
    ? ['taskset', '-c', cores[core], process.execPath, ...node]
    : [process.execPath, ...node];
  const child = spawn(file, rest, { stdio: ['ignore', openSync(logFile, 'a'), 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([code]): never => {
    throw new Error(`${name} ended with ${code}`);
  });
  ended.catch(() => {});
  const answer = async () => (await Promise.race([once(child, 'message'), ended]))[0];
  const { port } = await answer();
  return {
    name,
    port,
    process: child,
    ask: (message) => {
      child.send(message);
      return answer();
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended.catch(() => {});
    },
  };
}
