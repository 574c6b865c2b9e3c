import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { availableParallelism, devNull } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The core of a process. Servers and load generators run on different cores. */
export type Core = 'server' | 'load';

const cores: Record<Core, string> = { server: '0', load: '1' };
const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

/** Description of the CPU placement, for reports. */
export const placement = canPin ? 'server and load pinned to a core each' : 'not pinned';

export function spawnPinned(core: Core, command: string, args: readonly string[]): ChildProcess {
  const [file = '', ...rest] = canPin ? ['taskset', '-c', cores[core], command, ...args] : [command, ...args];
  return spawn(file, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
}

export interface BenchProcess extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Sends a message and returns the reply. Rejects if the process ends first. */
  // biome-ignore lint/suspicious/noExplicitAny: the type of the reply depends on the program.
  ask(message: object): Promise<any>;
}

/**
 * Starts a program that sends `{port}` when it is ready. Its stdout goes to the log file. A file without `.ts` runs by
 * itself, and sends JSON lines to the descriptor in NODE_CHANNEL_FD.
 */
export async function startBenchProcess(
  name: string,
  core: Core,
  program: URL,
  args: readonly string[],
  logFile = devNull,
): Promise<BenchProcess> {
  const path = fileURLToPath(program);
  const command = path.endsWith('.ts') ? [process.execPath, path, ...args] : [path, ...args];
  const [file = '', ...rest] = canPin ? ['taskset', '-c', cores[core], ...command] : command;
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
    pid: child.pid ?? 0,
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
