import { freePort } from '@acme/dev/start';
import pg from 'pg';
import { readPostmasterPid, startDatabaseServer } from '../../cluster/database-server.ts';
import { familyProcessorMs } from '../turns/processor-time.ts';

/** What a database has done since its start. */
export interface DatabaseCounters {
  /** Statements of the service, BEGIN and COMMIT included. Each is a round trip. */
  readonly statements: number;
  readonly commits: number;
  readonly walBytes: number;
  /** Number of images of whole pages in it: of the first change of a page after a checkpoint. */
  readonly pageImages: number;
  readonly fsyncs: number;
  readonly fsyncMs: number;
}

/** Size of a table, with its indexes. */
export interface TableSize {
  readonly table: string;
  readonly rows: number;
  readonly tableBytes: number;
  readonly indexBytes: number;
}

/** A PostgreSQL server with one database, which counts what its service does. */
export interface MeteredDatabase extends AsyncDisposable {
  readonly url: string;
  /** Returns the processor time of all processes of the server since their start, in ms. */
  readProcessorMs(): Promise<number>;
  readCounters(): Promise<DatabaseCounters>;
  /** Makes the next change of each page write an image of the page. */
  checkpoint(): Promise<void>;
  /** Reads the size of every table. */
  readSizes(): Promise<TableSize[]>;
}

/** Starts the server, with pg_stat_statements and the times of fsync. */
export async function startMeteredDatabase(dataFolder: string, name: string): Promise<MeteredDatabase> {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await startDatabaseServer(dataFolder, await freePort()));
  await server.ensureDatabase(name);
  await onDatabase(server.url('postgres'), async (client) => {
    await client.query(`ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`);
    await client.query('ALTER SYSTEM SET track_wal_io_timing = on');
  });
  await server.stop();
  await server.start();
  const meter = starting.adopt(new pg.Client({ connectionString: server.url('postgres') }), (each) =>
    each.end(),
  );
  await meter.connect();
  await meter.query('CREATE EXTENSION pg_stat_statements');
  const postmaster = await readPostmasterPid(dataFolder);
  const running = starting.move();
  return {
    url: server.url(name),
    readProcessorMs: () => familyProcessorMs(postmaster),
    readCounters: async () => {
      const { rows } = await meter.query<DatabaseCounters>(countersQuery, [name]);
      return rows[0] as DatabaseCounters;
    },
    checkpoint: async () => {
      await meter.query('CHECKPOINT');
    },
    readSizes: () => onDatabase(server.url(name), readSizes),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const countersQuery = `
  SELECT (SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
          WHERE dbid = (SELECT oid FROM pg_database WHERE datname = $1))::float8 AS statements,
         (SELECT xact_commit FROM pg_stat_database WHERE datname = $1)::float8 AS commits,
         (pg_current_wal_insert_lsn() - '0/0')::float8 AS "walBytes",
         (SELECT wal_fpi FROM pg_stat_wal)::float8 AS "pageImages",
         (SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal')::float8 AS fsyncs,
         (SELECT sum(fsync_time) FROM pg_stat_io WHERE object = 'wal')::float8 AS "fsyncMs"`;

async function readSizes(client: pg.Client): Promise<TableSize[]> {
  const { rows } = await client.query<Omit<TableSize, 'rows'>>(
    `SELECT relname AS table, pg_table_size(oid)::float8 AS "tableBytes", pg_indexes_size(oid)::float8 AS "indexBytes"
     FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname`,
  );
  const sizes: TableSize[] = [];
  for (const row of rows) {
    const counted = await client.query(
      `SELECT count(*)::float8 AS rows FROM ${pg.escapeIdentifier(row.table)}`,
    );
    sizes.push({ ...row, rows: counted.rows[0].rows });
  }
  return sizes;
}

async function onDatabase<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
