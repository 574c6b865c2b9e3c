import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { checkHealth } from '@acme/rpc/client';
import { crashText } from './crash-text.ts';

export interface ServiceProcessOptions {
  readonly name: string;
  /** URL of the service's main.ts. */
  readonly main: string;
  readonly listenAddress: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Called when the process is spawned. */
  readonly onSpawn?: (child: ChildProcess) => void;
  /** Time limit for becoming SERVING. Default: 30 s. */
  readonly startTimeoutMs?: number;
}

const preload = import.meta.resolve('@acme/dev/exit-with-parent');
const defaultStartTimeoutMs = 30_000;
const pollMs = 50;

/**
 * Starts a service as a process with `NODE_ENV=development`, and waits until it is SERVING.
 *
 * @throws Error with the stderr of the process, when it exits or is not SERVING in time.
 */
export async function startServiceProcess(options: ServiceProcessOptions): Promise<void> {
  const { name, main, listenAddress, environment, logFile, startTimeoutMs = defaultStartTimeoutMs } = options;
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, ['--import', preload, fileURLToPath(main)], {
    env: { ...process.env, NODE_ENV: 'development', ...environment, LISTEN_ADDRESS: listenAddress },
    // In its own process group, so that Ctrl-C reaches the parent alone, which stops the services in order.
    detached: true,
    stdio: ['ignore', log, 'pipe', 'ipc'],
  });
  child.once('close', () => closeSync(log));
  options.onSpawn?.(child);
  let stderrTail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    writeSync(log, text);
    stderrTail = (stderrTail + text).slice(-4096);
  });
  const deadlineMs = performance.now() + startTimeoutMs;
  while (!(await checkHealth(listenAddress))) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(
        `${name} did not start: ${crashText(stderrTail) || `it exited without an error message, see ${logFile}`}`,
      );
    if (performance.now() > deadlineMs) {
      await stopProcess(child);
      throw new Error(`${name} was not ready after ${startTimeoutMs / 1000} s: see ${logFile}`);
    }
    await sleep(pollMs);
  }
}

/** The exits of the processes that were sent SIGTERM. */
const exits = new WeakMap<ChildProcess, Promise<unknown>>();

/**
 * Sends SIGTERM, and resolves when the process has drained and exited. A process that SIGSTOP has paused is resumed. It is
 * signalled once however often this is called, because a second signal ends a service with its calls in flight.
 */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = exits.get(child) ?? once(child, 'exit');
  if (!exits.has(child)) child.kill('SIGTERM');
  exits.set(child, exited);
  child.kill('SIGCONT');
  await exited;
}
