import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startFailure } from '../internals/postgres-log.ts';
import type { ServerUser } from './server-user.ts';

/** After a crash the server first replays its write-ahead log. */
const readyTimeoutMs = 60_000;
const readyPollMs = 20;
/** Time limit for the backends of a killed server to exit. */
const memoryTimeoutMs = 10_000;
const memoryPollMs = 100;
/** Time limit of a fast shutdown, which writes a checkpoint, slowly on a slow disk. */
export const fastShutdownMs = 20_000;
export const immediateShutdownMs = 5_000;
const maxConnections = 200;

/** Another process listens on the port. */
export class PortInUseError extends Error {
  override name = 'PortInUseError';
}

export interface ServerOptions {
  readonly binaries: string;
  readonly user: ServerUser | undefined;
  readonly pgdata: string;
  readonly port: number;
  readonly url: string;
  readonly logFile: string;
}

/**
 * Starts a server on 127.0.0.1, and resolves when it answers a query at `url`. The backends of a killed server hold its
 * shared memory for a moment: until then the start is retried.
 *
 * @throws PortInUseError, or an Error with the reason from the server's log.
 */
export async function startServer(options: ServerOptions): Promise<ChildProcess> {
  const deadline = performance.now() + memoryTimeoutMs;
  for (;;) {
    const server = await spawnServer(options);
    try {
      if (await becomesReady(options.url, server)) return server;
    } catch (error) {
      await stopServer(server);
      throw error;
    }
    const { reason, isPortInUse, isMemoryInUse } = startFailure(await readFile(options.logFile, 'utf8'));
    if (isMemoryInUse && performance.now() < deadline) {
      await sleep(memoryPollMs);
      continue;
    }
    const message = `PostgreSQL did not start: ${reason} (see ${options.logFile})`;
    throw isPortInUse ? new PortInUseError(message) : new Error(message);
  }
}

async function spawnServer(options: ServerOptions): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: options.port,
    // The path of a Unix domain socket has at most 107 bytes, which a data folder's path easily exceeds.
    unix_socket_directories: '',
    max_connections: maxConnections,
    // The statement of a killed client must not hold its locks until it ends.
    client_connection_check_interval: process.platform === 'linux' ? '1s' : '0',
    log_checkpoints: 'off',
    lc_messages: 'C',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // Each start truncates the log, which bounds its size.
  const { O_CREAT, O_WRONLY, O_TRUNC, O_APPEND, O_NOFOLLOW } = constants;
  const log = await open(options.logFile, O_CREAT | O_WRONLY | O_TRUNC | O_APPEND | O_NOFOLLOW, 0o600);
  const program = join(options.binaries, 'bin', 'postgres');
  const server = spawn(program, ['-D', options.pgdata, ...args], {
    ...options.user,
    cwd: '/',
    env: { LC_ALL: 'C' },
    stdio: ['ignore', log.fd, log.fd],
    // Its own process group, so that the terminal's Ctrl-C reaches only this process, which still has calls to finish.
    detached: true,
  });
  try {
    await once(server, 'spawn');
    return server;
  } catch (error) {
    throw new Error(`cannot run ${program}: ${(error as Error).message}`, { cause: error });
  } finally {
    await log.close();
  }
}

/** Resolves to whether the server has become ready. It has ended otherwise. */
async function becomesReady(url: string, server: ChildProcess): Promise<boolean> {
  const deadline = performance.now() + readyTimeoutMs;
  while (server.exitCode === null && server.signalCode === null) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('SELECT 1');
      return true;
    } catch (error) {
      if (performance.now() > deadline) {
        throw new Error(`PostgreSQL was not ready after ${readyTimeoutMs / 1_000} s: ${String(error)}`);
      }
    } finally {
      await client.end();
    }
    await sleep(readyPollMs);
  }
  return false;
}

/**
 * Stops the server by a fast shutdown, which rolls back open transactions and writes committed ones to disk. After its time
 * limit, by an immediate one, and then by SIGKILL.
 */
export async function stopServer(server: ChildProcess): Promise<void> {
  for (const [signal, limitMs] of [
    ['SIGINT', fastShutdownMs],
    ['SIGQUIT', immediateShutdownMs],
    ['SIGKILL', immediateShutdownMs],
  ] as const) {
    if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit', { signal: AbortSignal.timeout(limitMs) });
    server.kill(signal);
    await exited.catch(() => {});
  }
}
