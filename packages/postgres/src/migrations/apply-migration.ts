import pg from 'pg';
import type { MigrationFile } from './migration-files.ts';

/** All new queries of a busy table would queue behind a migration that waits for its lock. */
const lockTimeout = '10s';

/**
 * Applies a migration and records it.
 *
 * A transactional one is rolled back when it fails. It cannot hold BEGIN and COMMIT, nor statements that PostgreSQL rejects
 * in a transaction.
 *
 * Another one is a single statement that blocks no writers, such as CREATE INDEX CONCURRENTLY or a DO block that commits after
 * each batch of rows. When the process is killed before it is recorded, the next one runs it again, so it must continue from
 * any point. An index that an interrupted run has left invalid is dropped first.
 *
 * @throws Error that names the file.
 */
export async function applyMigration(client: pg.Client, migration: MigrationFile): Promise<void> {
  await client.query(`SET lock_timeout = '${lockTimeout}'`);
  if (!migration.isTransactional) {
    await runAlone(client, migration);
    return record(client, migration);
  }
  await client.query('BEGIN');
  try {
    await runInTransaction(client, migration);
    await record(client, migration);
    await client.query('COMMIT');
  } catch (error) {
    // When this fails too, the connection is lost, and the transaction with it.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function record(client: pg.Client, { name, checksum }: MigrationFile): Promise<void> {
  await client.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [name, checksum]);
}

async function runInTransaction(client: pg.Client, { name, sql }: MigrationFile): Promise<void> {
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
}

async function runAlone(client: pg.Client, { name, sql }: MigrationFile): Promise<void> {
  try {
    await dropInvalidIndexes(client, sql);
    // The build of an index waits for all older transactions, and no query waits for the build.
    await client.query('SET lock_timeout = 0');
    // Prepared, because several statements would be one transaction. PostgreSQL rejects several in a prepared one.
    await client.query({ name, text: sql });
  } catch (error) {
    throw new Error(
      `migration ${name} failed outside of a transaction, and the next start runs it again: ${describe(error, sql)}`,
      { cause: error },
    );
  }
}

/**
 * Drops the invalid indexes that the statement names. An index that an operator is building is invalid too: then the lock
 * times out, and the next start finds the index.
 */
async function dropInvalidIndexes(client: pg.Client, sql: string): Promise<void> {
  const { rows } = await client.query<{ name: string; identifier: string }>(
    `SELECT relname AS name, indexrelid::regclass AS identifier
     FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     WHERE NOT indisvalid AND relkind = 'i' AND pg_table_is_visible(indexrelid)`,
  );
  for (const { name, identifier } of rows)
    if (new RegExp(`\\b${RegExp.escape(name)}\\b`).test(sql))
      await client.query(`DROP INDEX CONCURRENTLY ${identifier}`);
}

/** Remedies by the code of the error. */
const remedies: Readonly<Record<string, string>> = {
  '25001': 'begin the file with the line "-- no transaction"',
  '42501': 'migrate with the database URL of the role that owns the tables',
};

function describe(error: unknown, sql: string): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof pg.DatabaseError)) return error.message;
  const { message, position, code = '' } = error;
  const line = position === undefined ? '' : ` (line ${sql.slice(0, Number(position)).split('\n').length})`;
  return [`${message}${line}`, remedies[code] ?? []].flat().join(': ');
}
