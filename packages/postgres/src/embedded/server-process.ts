import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { ServerUser } from './server-user.ts';

/** After a crash the server first replays what it had not yet written to its tables. */
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 20;
const FAST_SHUTDOWN_MS = 20_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;
const MAX_CONNECTIONS = 200;

/** Starts a server on 127.0.0.1 only, and comes back when it answers a query at `url`. */
export async function startServer(options: {
  binaries: string;
  user: ServerUser;
  pgdata: string;
  port: number;
  url: string;
  logFile: string;
}): Promise<ChildProcess> {
  const server = await spawnServer(options);
  try {
    if (await becomesReady(options.url, server)) return server;
    throw new Error(await refusal(options.logFile));
  } catch (error) {
    await stopServer(server);
    throw error;
  }
}

async function spawnServer(options: {
  binaries: string;
  user: ServerUser;
  pgdata: string;
  port: number;
  logFile: string;
}): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: options.port,
    // A socket's path may have 107 bytes at most, which a data folder's easily exceeds.
    unix_socket_directories: '',
    max_connections: MAX_CONNECTIONS,
    // A client that was killed must not go on holding its locks until its statement ends.
    client_connection_check_interval: process.platform === 'linux' ? '1s' : '0',
    log_checkpoints: 'off',
    lc_messages: 'C',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // Truncated at each start, which bounds it.
  const { O_CREAT, O_WRONLY, O_TRUNC, O_APPEND, O_NOFOLLOW } = constants;
  const log = await open(options.logFile, O_CREAT | O_WRONLY | O_TRUNC | O_APPEND | O_NOFOLLOW, 0o600);
  const program = join(options.binaries, 'bin', 'postgres');
  const server = spawn(program, ['-D', options.pgdata, ...args], {
    ...options.user,
    cwd: '/',
    env: { LC_ALL: 'C' },
    stdio: ['ignore', log.fd, log.fd],
    // Its own process group: the terminal's Ctrl-C must reach us only, who still have calls to finish.
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

/** False when the server ended instead. */
async function becomesReady(url: string, server: ChildProcess): Promise<boolean> {
  const giveUpAt = performance.now() + READY_TIMEOUT_MS;
  while (server.exitCode === null && server.signalCode === null) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('SELECT 1');
      return true;
    } catch (error) {
      if (performance.now() > giveUpAt) {
        throw new Error(`PostgreSQL was not ready after ${READY_TIMEOUT_MS / 1_000} s: ${String(error)}`);
      }
    } finally {
      await client.end();
    }
    await sleep(READY_POLL_MS);
  }
  return false;
}

/** Why the server ended, in its own words: the line that says FATAL, or the cause that it logged before that. */
async function refusal(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trim().split('\n');
  const line =
    lines.find((text) => text.includes('could not bind')) ??
    lines.findLast((text) => /\b(FATAL|PANIC|ERROR): /.test(text)) ??
    lines.at(-1);
  return `PostgreSQL refused to start: ${line?.replace(/^.*?(LOG|FATAL|PANIC|ERROR): +/, '')} (see ${logFile})`;
}

/** A fast shutdown: open transactions roll back, everything committed is on disk. Firmer when that takes long. */
export async function stopServer(server: ChildProcess): Promise<void> {
  for (const [signal, limitMs] of [
    ['SIGINT', FAST_SHUTDOWN_MS],
    ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
    ['SIGKILL', IMMEDIATE_SHUTDOWN_MS],
  ] as const) {
    if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit', { signal: AbortSignal.timeout(limitMs) });
    server.kill(signal);
    await exited.catch(() => {});
  }
}
