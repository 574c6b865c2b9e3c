import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Embedded, startEmbedded } from '@acme/postgres/embedded/embedded';
import { openPool } from '@acme/postgres/pool/pool';

/** A PostgreSQL that can be killed, stopped and started again, always on one port. */
export interface DatabaseServer extends AsyncDisposable {
  readonly port: number;
  url(database: string): string;
  ensureDatabase(name: string): Promise<void>;
  /** kill -9 of the server; what it had running ends with it. */
  kill(): Promise<void>;
  /** A fast shutdown, as in a restart. */
  stop(): Promise<void>;
  /** Starts it again; nothing when it is up. */
  start(): Promise<void>;
  /** SIGSTOP of all of its processes, and SIGCONT. */
  freeze(): Promise<void>;
  thaw(): void;
}

const startAttempts = 50;
const startPauseMs = 100;

export async function startDatabaseServer(dataFolder: string, port: number): Promise<DatabaseServer> {
  let embedded: Embedded = await startEmbedded({ dataFolder, port });
  let isUp = true;
  let frozen: number[] = [];
  const url = (database: string) => embedded.url(database);
  const postmaster = async () =>
    Number.parseInt(await readFile(join(dataFolder, 'pgdata', 'postmaster.pid'), 'utf8'), 10);
  const stop = async () => {
    isUp = false;
    await embedded.close();
  };
  const thaw = () => {
    for (const pid of frozen) signal(pid, 'SIGCONT');
    frozen = [];
  };
  return {
    port,
    url,
    ensureDatabase: (name) => embedded.ensureDatabase(name),
    kill: async () => {
      isUp = false;
      process.kill(await postmaster(), 'SIGKILL');
      await embedded.close();
    },
    stop,
    start: async () => {
      if (isUp) return;
      embedded = await startPatiently(dataFolder, port);
      isUp = true;
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
