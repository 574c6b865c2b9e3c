import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbedded } from '@acme/postgres/embedded';
import { queryOnce } from '@acme/postgres/testing';
import { startFaultProxy } from '@acme/rpc/testing';
import { withTimeout } from '../harness/with-timeout.ts';
import { copyAsStandby, type RunningServer, standbyName } from './copy-as-standby.ts';

/**
 * A PostgreSQL server with a synchronous standby by streaming replication, and a proxy in front that leads clients to one
 * of the two. A commit is acknowledged when the standby has written it to its disk.
 */
export interface DatabasePair extends AsyncDisposable {
  /** Returns the URL of a database behind the proxy. */
  url(database: string): string;
  /** Creates the database unless it exists. */
  ensureDatabase(name: string): Promise<void>;
  /** Sends SIGKILL to the primary. */
  killPrimary(): Promise<void>;
  /**
   * Cuts the standby off. Commits no longer wait for it, and what is committed from now on is lost with the primary: an
   * asynchronous standby that lags behind.
   */
  cutOffStandby(): Promise<void>;
  /** Severs all connections and leads new ones to the standby. Until it is promoted, it is read-only. */
  repoint(): Promise<void>;
  /** Makes the standby the primary. The killed primary and its data are removed. */
  promote(): Promise<void>;
  /** Promotes the standby if the primary is down, and makes a new standby if there is none. */
  heal(): Promise<void>;
}

/** Long enough for a busy machine. */
const stateTimeoutMs = 60_000;
const pollMs = 20;

/** Starts both servers. Everything that they write goes to `folder`. */
export async function startDatabasePair(folder: string): Promise<DatabasePair> {
  let servers = 0;
  const nextFolder = () => join(folder, `server-${++servers}`);
  const start = async (dataFolder: string): Promise<RunningServer> => ({
    embedded: await startEmbedded({ dataFolder }),
    dataFolder,
  });
  const remove = async ({ embedded, dataFolder }: RunningServer) => {
    await embedded.close();
    // Processes of a killed server end a moment later, and may still write files.
    await rm(dataFolder, { recursive: true, maxRetries: 10 });
  };
  let primary = await start(nextFolder());
  let standby: RunningServer | undefined;
  let reached = primary;
  await using starting = new AsyncDisposableStack();
  starting.defer(() => primary.embedded.close());
  starting.defer(() => standby?.embedded.close());
  const proxy = starting.use(
    await startFaultProxy({
      // Read for each connection.
      target: {
        host: '127.0.0.1',
        get port() {
          return reached.embedded.port;
        },
      },
    }),
  );
  // A new standby asks for what was written since its copy ended.
  await run(primary, `ALTER SYSTEM SET wal_keep_size = '64MB'`);

  const requireStandby = () => {
    if (!standby) throw new Error(`${folder}: there is no standby`);
    return standby;
  };
  const addStandby = async () => {
    const dataFolder = nextFolder();
    await copyAsStandby(primary, dataFolder);
    standby = await start(dataFolder);
    await run(primary, `ALTER SYSTEM SET synchronous_standby_names = '${standbyName}'`);
    await reload(primary);
    await untilTrue(primary, `SELECT FROM pg_stat_replication WHERE sync_state = 'sync'`);
  };
  const repoint = async () => {
    reached = standby ?? primary;
    proxy.severAll();
  };
  const promote = async () => {
    const promoted = requireStandby();
    await run(promoted, 'SELECT pg_promote(wait => true)');
    await untilTrue(promoted, 'SELECT WHERE NOT pg_is_in_recovery()');
    const old = primary;
    [primary, standby] = [promoted, undefined];
    await remove(old);
  };
  await addStandby();
  const running = starting.move();
  return {
    url: (database) => {
      const url = new URL(primary.embedded.url(database));
      url.port = String(proxy.port);
      return url.href;
    },
    ensureDatabase: (name) => primary.embedded.ensureDatabase(name),
    killPrimary: () => primary.embedded.kill(),
    cutOffStandby: async () => {
      await run(primary, `ALTER SYSTEM SET synchronous_standby_names = ''`);
      await reload(primary);
      const cutOff = requireStandby();
      await run(cutOff, `ALTER SYSTEM SET primary_conninfo = ''`);
      await reload(cutOff);
      await untilTrue(primary, 'SELECT WHERE NOT EXISTS (SELECT FROM pg_stat_replication)');
    },
    repoint,
    promote,
    heal: async () => {
      if (!primary.embedded.isRunning) await promote();
      if (reached !== primary) await repoint();
      if (!standby) await addStandby();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function run({ embedded }: RunningServer, statement: string) {
  return queryOnce(embedded.url('postgres'), statement);
}

function reload(server: RunningServer) {
  return run(server, 'SELECT pg_reload_conf()');
}

/** Waits until the statement returns a row. */
async function untilTrue(server: RunningServer, statement: string): Promise<void> {
  let isOver = false;
  const poll = async () => {
    while (!isOver && (await run(server, statement)).length === 0) await sleep(pollMs);
  };
  await withTimeout(stateTimeoutMs, `a row of "${statement}"`, poll()).finally(() => {
    isOver = true;
  });
}
