import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbedded } from '@acme/postgres/embedded';
import { openPool } from '@acme/postgres/pool';

/** A PostgreSQL server that can be killed, paused, stopped and restarted on the same port. */
export interface DatabaseServer extends AsyncDisposable {
  readonly port: number;
  url(database: string): string;
  ensureDatabase(name: string): Promise<void>;
  /** Sends SIGKILL to the postmaster. Its backends end with it. */
  kill(): Promise<void>;
  /** Shuts the server down in fast mode, as a restart does. */
  stop(): Promise<void>;
  /** Starts the server if it is down. */
  start(): Promise<void>;
  /** Sends SIGSTOP to all processes of the server. */
  pause(): Promise<void>;
  /** Sends SIGCONT to the paused processes. */
  resume(): void;
}

export async function startDatabaseServer(dataFolder: string, port: number): Promise<DatabaseServer> {
  let embedded = await startEmbedded({ dataFolder, port });
  let isStopped = false;
  let paused: number[] = [];
  const url = (database: string) => embedded.url(database);
  const resume = () => {
    for (const pid of paused) signal(pid, 'SIGCONT');
    paused = [];
  };
  return {
    port,
    url,
    ensureDatabase: (name) => embedded.ensureDatabase(name),
    kill: () => embedded.kill(),
    stop: async () => {
      isStopped = true;
      await embedded.close();
    },
    start: async () => {
      if (isStopped) embedded = await startEmbedded({ dataFolder, port });
      else await embedded.start();
      isStopped = false;
    },
    pause: async () => {
      const all = [await readPostmasterPid(dataFolder), ...(await processesOf(url('postgres')))];
      paused = all;
      // The postmaster comes first, because it would start further processes.
      for (const pid of all) signal(pid, 'SIGSTOP');
    },
    resume,
    [Symbol.asyncDispose]: async () => {
      resume();
      await embedded.close();
    },
  };
}

/** Returns the id of the first process of the server that runs on this data folder. */
export async function readPostmasterPid(dataFolder: string): Promise<number> {
  return Number.parseInt(await readFile(join(dataFolder, 'pgdata', 'postmaster.pid'), 'utf8'), 10);
}

async function processesOf(url: string): Promise<number[]> {
  const pool = openPool({ url, max: 1, applicationName: 'faults', onError: () => {} });
  try {
    const { rows } = await pool.query<{ pid: number }>(
      'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
    );
    return rows.map(({ pid }) => pid);
  } finally {
    await pool.end();
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process has ended.
  }
}
