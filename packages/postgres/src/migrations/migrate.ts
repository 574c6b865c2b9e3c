import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { sessionStatement } from '../pool/session-settings.ts';
import { applyMigration } from './apply-migration.ts';
import { openMigrationClient } from './migration-client.ts';
import { type AppliedMigration, firstMissing, readMigrationFiles } from './migration-files.ts';

/** Key of the advisory lock that serializes the migrations of a database. No other lock uses the number. */
const lockKey = 7_266_178_843;
const lockPollMs = 100;
/** Another process may be running a long migration. */
const lockTimeoutMs = 10 * 60 * 1000;

/** Limits of the session. A migration may take long, and a killed process must not hold the lock for long. */
const limitsSql = `
  SET statement_timeout = 0;
  SET client_connection_check_interval = '1s'`;

/**
 * Applies the folder's migrations that the database lacks, in order, and returns the names of those it applied.
 *
 * Each migration runs in one transaction with its row in `schema_migrations`, so a killed process leaves no half of one. A
 * file whose first line is `-- no transaction` runs outside of one; `applyMigration` has the rules. Any number of processes
 * may call it at once. One of them migrates, under an advisory lock of its session, and the others wait.
 *
 * @param url Leads to the server itself: a transaction pooler keeps no session.
 * @throws Error that names the file and the remedy. `firstMissing` has the rules for a valid history.
 */
export async function migrate(url: string, folder: URL): Promise<string[]> {
  const files = await readMigrationFiles(folder);
  const client = await openMigrationClient(url);
  try {
    await pinSession(client, url);
    await client.query(limitsSql);
    await takeLock(client);
    const names: string[] = [];
    for (;;) {
      const next = firstMissing(files, await readApplied(client));
      if (next === undefined) return names;
      await applyMigration(client, next);
      names.push(next.name);
    }
  } finally {
    // The lock ends with the session.
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
 * Takes the lock. It does not wait for it in a statement, because that would hold a snapshot, for whose end CREATE INDEX
 * CONCURRENTLY waits in the process that has the lock.
 */
async function takeLock(client: pg.Client): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += lockPollMs) {
    const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS locked', [lockKey]);
    if (rows[0].locked) return;
    if (waitedMs >= lockTimeoutMs)
      throw new Error(
        'another process is still migrating the database after 10 min: start this one again later',
      );
    await sleep(lockPollMs);
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
