import pg from 'pg';
import { clientConfig } from '../pool/connection-url.ts';
import { sessionStatement } from '../pool/session-settings.ts';
import {
  type AppliedMigration,
  firstMissing,
  type MigrationFile,
  readMigrationFiles,
} from './migration-files.ts';

/** The advisory lock that migrations of one database take in turn. Any number that nothing else uses. */
const LOCK_KEY = 7_266_178_843;

/** Runs before the lock is held: another process may be in the middle of a long migration. */
const SET_LIMITS = `
  SET LOCAL statement_timeout = 0;
  SET LOCAL lock_timeout = '10min';
  SET LOCAL client_connection_check_interval = '1s'`;

/**
 * Applies the folder's migrations that the database lacks, in order, and gives the names applied by this call.
 *
 * Each runs in one transaction with its row in `schema_migrations`, so a process killed half way leaves nothing.
 * Any number of processes may start at once: every step takes the same advisory lock first, before even looking
 * whether the table is there, since CREATE TABLE IF NOT EXISTS is not safe against itself. A file cannot hold
 * what PostgreSQL refuses in a transaction (CREATE INDEX CONCURRENTLY) nor BEGIN and COMMIT.
 *
 * Throws an Error that names the file and what to do; see `firstMissing` for what counts as one history.
 */
export async function migrate(url: string, folder: URL): Promise<string[]> {
  const files = await readMigrationFiles(folder);
  const client = new pg.Client({
    application_name: 'migrate',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    ...clientConfig(url),
  });
  // The statement under way rejects as well; without a listener the event would end the process first.
  client.on('error', () => {});
  await client.connect().catch((cause: Error) => {
    const where = `${client.database} on ${client.host}:${client.port}`;
    // A name with several addresses fails with an error for each, and no words of its own.
    const [first = cause] = cause instanceof AggregateError ? cause.errors : [];
    throw new Error(`cannot reach the database ${where} as ${client.user}: ${first.message}`, { cause });
  });
  try {
    await pinSession(client, url);
    const names: string[] = [];
    for (;;) {
      const name = await applyNext(client, files);
      if (name === undefined) return names;
      names.push(name);
    }
  } finally {
    await client.end();
  }
}

/**
 * Gives the session its settings. Throws when the tables are where only the server's own search_path finds them: they
 * would all be made again in another schema.
 */
async function pinSession(client: pg.Client, url: string): Promise<void> {
  // Not by to_regclass: the session would remember that there is no table, and not see one that is made meanwhile.
  const look = `SELECT relnamespace::regnamespace AS schema FROM pg_class
                WHERE relname = 'schema_migrations' AND pg_table_is_visible(oid)`;
  const { rows: before } = await client.query<{ schema: string }>(look);
  await client.query(sessionStatement(url, {}));
  const { rowCount: found } = await client.query(look);
  if (!before[0] || found === 1) return;
  const { schema } = before[0];
  throw new Error(
    `the tables are in the schema ${schema}, which is not searched: add the parameter search_path=${schema} to the database URL`,
  );
}

/** A lock for the transaction rather than the session, so that it also works through a transaction pooler. */
async function applyNext(client: pg.Client, files: MigrationFile[]): Promise<string | undefined> {
  await client.query('BEGIN');
  try {
    await client.query(SET_LIMITS);
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
    const next = firstMissing(files, await readApplied(client));
    if (next !== undefined) await apply(client, next);
    await client.query('COMMIT');
    return next?.name;
  } catch (error) {
    // Should this fail too, the connection is gone, and the transaction with it.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function readApplied(client: pg.Client): Promise<AppliedMigration[]> {
  const { rows } = await client.query(`SELECT to_regclass('schema_migrations') IS NOT NULL AS present`);
  // Asked first, because IF NOT EXISTS wants the right to create tables even when it has nothing to do.
  if (!rows[0].present) {
    await client.query(`
      CREATE TABLE schema_migrations (
        name text PRIMARY KEY,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`);
  }
  return (await client.query<AppliedMigration>('SELECT name, checksum FROM schema_migrations')).rows;
}

async function apply(client: pg.Client, { name, sql, checksum }: MigrationFile): Promise<void> {
  // A table that others use all the time must not be waited for: all new queries would queue behind us.
  await client.query(`SET LOCAL lock_timeout = '10s'`);
  try {
    await client.query(sql);
  } catch (error) {
    throw new Error(`migration ${name} failed and was rolled back: ${describe(error, sql)}`, {
      cause: error,
    });
  }
  if (client.getTransactionStatus() !== 'T') {
    throw new Error(
      `migration ${name} has a COMMIT or ROLLBACK: remove it, and undo by hand what was applied`,
    );
  }
  await client.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [name, checksum]);
}

function describe(error: unknown, sql: string): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof pg.DatabaseError) || error.position === undefined) return error.message;
  const line = sql.slice(0, Number(error.position)).split('\n').length;
  return `${error.message} (line ${line})`;
}
