import pg from 'pg';
import { sessionStatement } from '../pool/session-settings.ts';
import { openMigrationClient } from './migration-client.ts';
import {
  type AppliedMigration,
  firstMissing,
  type MigrationFile,
  readMigrationFiles,
} from './migration-files.ts';

/** Key of the advisory lock that serializes the migrations of a database. No other lock uses the number. */
const lockKey = 7_266_178_843;

/** Limits for the wait for the lock. Another process may be running a long migration. */
const setLimitsSql = `
  SET LOCAL statement_timeout = 0;
  SET LOCAL lock_timeout = '10min';
  SET LOCAL client_connection_check_interval = '1s'`;

/**
 * Applies the folder's migrations that the database lacks, in order, and returns the names of those it applied.
 *
 * Each migration runs in one transaction with its row in `schema_migrations`, so a killed process leaves no half of one.
 * Any number of processes may call it at once. Every step first takes the same advisory lock, even before it creates the
 * table, because concurrent CREATE TABLE IF NOT EXISTS statements can fail. A file cannot hold statements that PostgreSQL
 * rejects in a transaction (CREATE INDEX CONCURRENTLY), nor BEGIN and COMMIT.
 *
 * Throws an Error that names the file and the remedy. `firstMissing` has the rules for a valid history.
 */
export async function migrate(url: string, folder: URL): Promise<string[]> {
  const files = await readMigrationFiles(folder);
  const client = await openMigrationClient(url);
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
 * Gives the session its settings. Throws when only the server's own search_path finds the tables, because the migrations
 * would create all of them again in another schema.
 */
async function pinSession(client: pg.Client, url: string): Promise<void> {
  // Not by to_regclass: the session would cache that there is no table, and not see one that is created meanwhile.
  const look = `SELECT relnamespace::regnamespace AS schema FROM pg_class
                WHERE relname = 'schema_migrations' AND pg_table_is_visible(oid)`;
  const { rows: before } = await client.query<{ schema: string }>(look);
  await client.query(sessionStatement(url, {}));
  const { rowCount: found } = await client.query(look);
  if (!before[0] || found === 1) return;
  const { schema } = before[0];
  throw new Error(
    `the tables are in the schema ${schema}, which is not in the search_path: add the parameter search_path=${schema} to the database URL`,
  );
}

/**
 * Applies the first missing migration. Its lock is held by the transaction rather than the session, so that it also works
 * through a transaction pooler.
 */
async function applyNext(client: pg.Client, files: MigrationFile[]): Promise<string | undefined> {
  await client.query('BEGIN');
  try {
    await client.query(setLimitsSql);
    await client.query('SELECT pg_advisory_xact_lock($1)', [lockKey]);
    const next = firstMissing(files, await readApplied(client));
    if (next !== undefined) await apply(client, next);
    await client.query('COMMIT');
    return next?.name;
  } catch (error) {
    // When this fails too, the connection is lost, and the transaction with it.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function readApplied(client: pg.Client): Promise<AppliedMigration[]> {
  const { rows } = await client.query(`SELECT to_regclass('schema_migrations') IS NOT NULL AS present`);
  // IF NOT EXISTS would need the right to create tables even when the table exists.
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
  // A short limit, because all new queries of a busy table would queue behind a migration that waits for its lock.
  await client.query(`SET LOCAL lock_timeout = '10s'`);
  try {
    await client.query(sql);
  } catch (error) {
    throw new Error(`migration ${name} failed and was rolled back: ${describe(error, sql)}`, {
      cause: error,
    });
  }
  if (client.getTransactionStatus() !== 'T') {
    throw new Error(`migration ${name} has a COMMIT or ROLLBACK: remove it, and undo its statements by hand`);
  }
  await client.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [name, checksum]);
}

function describe(error: unknown, sql: string): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof pg.DatabaseError) || error.position === undefined) return error.message;
  const line = sql.slice(0, Number(error.position)).split('\n').length;
  return `${error.message} (line ${line})`;
}
