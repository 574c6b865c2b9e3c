import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Embedded, startEmbedded } from '@acme/postgres/embedded';
import { openPool } from '@acme/postgres/pool';

/** A PostgreSQL that can be killed, stopped and started again, always on one port. */
export interface DatabaseServer extends AsyncDisposable {
  readonly port: number;
  url(database: string): string;
  ensureDatabase(name: string): Promise<void>;
  /** kill -9 of the server; what it had running ends with it. */
  kill(): Promise<void>;
  /** A fast shutdown, as in a restart. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** SIGSTOP of all of its processes, and SIGCONT. */
  freeze(): Promise<void>;
  thaw(): void;
}

const startAttempts = 50;
const startPauseMs = 100;

export async function startDatabaseServer(dataFolder: string, port: number): Promise<DatabaseServer> {
  let embedded: Embedded = await startEmbedded({ dataFolder, port });
  let frozen: number[] = [];
  const url = (database: string) => embedded.url(database);
  const postmaster = async () =>
    Number.parseInt(await readFile(join(dataFolder, 'pgdata', 'postmaster.pid'), 'utf8'), 10);
  const thaw = () => {
    for (const pid of frozen) signal(pid, 'SIGCONT');
    frozen = [];
  };
  return {
    port,
    url,
    ensureDatabase: (name) => embedded.ensureDatabase(name),
    kill: async () => {
      process.kill(await postmaster(), 'SIGKILL');
      await embedded.close();
    },
    stop: () => embedded.close(),
    start: async () => {
      embedded = await startPatiently(dataFolder, port);
    },
    freeze: async () => {
      const all = [await postmaster(), ...(await processesOf(url('postgres')))];
      frozen = all;
      // The one that would start others first.
      for (const pid of all) signal(pid, 'SIGSTOP');
    },
    thaw,
    [Symbol.asyncDispose]: async () => {
      thaw();
      await embedded.close();
    },
  };
}

/** What a killed server leaves behind holds its memory for a moment, and the next one waits for that. */
async function startPatiently(dataFolder: string, port: number): Promise<Embedded> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startEmbedded({ dataFolder, port });
    } catch (error) {
      if (attempt === startAttempts) throw error;
      await sleep(startPauseMs);
    }
  }
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
    // It has ended.
  }
}
