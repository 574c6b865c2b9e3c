import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { stopOrphanedServer } from './orphaned-server.ts';
import { type ServerOptions, startServer, stopServer } from './server-process.ts';

/** A server that can be killed, and started again on its port. */
export interface RestartableServer {
  readonly isRunning: boolean;
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface ServerListeners {
  /** Called when the server exits without `close`. */
  readonly onExit?: (() => void) | undefined;
  /** Called when `start` has started the server again. */
  readonly onRestart?: (() => void) | undefined;
}

/**
 * Starts a server.
 *
 * @throws Error as `startServer`.
 */
export async function startRestartableServer(
  options: ServerOptions,
  { onExit, onRestart }: ServerListeners,
): Promise<RestartableServer> {
  let server: ChildProcess;
  let starting: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  const startOnce = async () => {
    server = await startServer(options);
    server.once('exit', () => {
      if (!closing) onExit?.();
    });
  };
  const startAgain = async () => {
    await stopOrphanedServer(options.pgdata);
    await startOnce();
    onRestart?.();
  };
  const closeOnce = async () => {
    await starting?.catch(() => {});
    await stopServer(server).finally(() => process.off('exit', interrupt));
  };
  // For an exit without `close`, such as an uncaught error. The exit event allows no asynchronous work, so the process does
  // not wait for the server's end.
  const interrupt = () => server.kill('SIGINT');

  await startOnce();
  process.once('exit', interrupt);
  return {
    get isRunning() {
      return isRunning(server);
    },
    kill: async () => {
      if (!isRunning(server)) return;
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    },
    start: async () => {
      if (closing) throw new Error(`PostgreSQL on ${options.pgdata} is closed`);
      if (isRunning(server)) return;
      starting ??= startAgain().finally(() => {
        starting = undefined;
      });
      await starting;
    },
    close: () => {
      closing ??= closeOnce();
      return closing;
    },
  };
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}
