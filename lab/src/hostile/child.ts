import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

/** A child process that receives messages and sends reports. Disposing it kills it. */
export interface Child extends AsyncDisposable {
  send(message: object): void;
  /** Resolves with the next report of this kind. Rejects if the process ends first, or after `timeoutMs`. */
  reported(kind: string, timeoutMs: number): Promise<Report>;
}

export interface Report {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/**
 * Starts a module of this folder as a process.
 *
 * @param niceness Scheduling priority. An attacker yields to the replica, as it would run on another machine.
 */
export function startChild(module: string, { niceness = 0, onReport = (_report: Report) => {} } = {}): Child {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), {
    // NODE_OPTIONS of the suite must not limit the attacker.
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (child.pid !== undefined && niceness > 0) setPriority(child.pid, niceness);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  child.on('error', () => {});
  child.on('message', (report: Report) => onReport(report));
  const closed = once(child, 'close');
  return {
    send: (message) => child.send(message),
    reported: (kind, timeoutMs) =>
      new Promise((resolve, reject) => {
        const give = (settle: () => void) => {
          clearTimeout(timer);
          child.off('message', look);
          settle();
        };
        const look = (report: Report) => {
          if (report.kind === kind) give(() => resolve(report));
        };
        const timer = setTimeout(
          () => give(() => reject(new Error(`${module}: no ${kind} within ${timeoutMs / 1000} s`))),
          timeoutMs,
        );
        child.on('message', look);
        closed.then(() => give(() => reject(new Error(`${module} ended before its ${kind}: ${stderr}`))));
      }),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
