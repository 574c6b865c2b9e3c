import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { type Migrator, migrationFolder, startMigrator } from '../testing/migrators.ts';
import { openTestPool } from '../testing/open-test-pool.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { migrate } from './migrate.ts';

const events = `
  CREATE TABLE events (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer text, customer_key text);
  INSERT INTO events (customer) SELECT 'customer-' || number FROM generate_series(1, 100) AS number;`;

const index = `-- no transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_by_customer ON events (customer);
`;

/** Fills a column in batches of ten, each in a transaction of its own. */
const backfill = `-- no transaction
DO $$
DECLARE
  done bigint := 0;
  upper_end bigint;
BEGIN
  LOOP
    SELECT max(seq) INTO upper_end FROM
      (SELECT seq FROM events WHERE seq > done AND customer_key IS NULL ORDER BY seq LIMIT 10) AS batch;
    EXIT WHEN upper_end IS NULL;
    UPDATE events SET customer_key = upper(customer) WHERE seq > done AND seq <= upper_end AND customer_key IS NULL;
    COMMIT;
    done := upper_end;
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;
`;

let database: TestDatabase;
let pool: Pool;
const opened: AsyncDisposable[] = [];
beforeEach(async () => {
  database = await createTestDatabase();
  pool = openTestPool({ url: database.url, max: 3 });
});
afterEach(async () => {
  await pool.end();
  for (const each of [...opened.splice(0), database]) await each[Symbol.asyncDispose]();
});

async function folderOf(files: Record<string, string>): Promise<URL> {
  const folder = await migrationFolder(files);
  opened.push(folder);
  return folder.url;
}

/** Returns whether each index of the table is valid, by its name. */
async function indexes(): Promise<Record<string, boolean>> {
  const { rows } = await pool.query(
    `SELECT indexrelid::regclass::text AS name, indisvalid FROM pg_index WHERE indrelid = 'events'::regclass`,
  );
  return Object.fromEntries(rows.map(({ name, indisvalid }) => [name, indisvalid]));
}

/** Waits until a migration waits for an event of this kind. */
async function untilWaiting(kind: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const waiting = await pool.query(
        `SELECT FROM pg_stat_activity
         WHERE application_name = 'migrate' AND datname = current_database() AND wait_event = $1`,
        [kind],
      );
      expect(waiting.rowCount).toBe(1);
    },
    { timeout: 15_000 },
  );
}

/** Kills a process that migrates, and waits until the server has ended its session, which takes it up to 1 s. */
async function kill({ child, ended }: Migrator): Promise<void> {
  child.kill('SIGKILL');
  await ended;
  await vi.waitFor(
    async () => {
      const sessions = await pool.query(
        `SELECT FROM pg_stat_activity WHERE application_name = 'migrate' AND datname = current_database()`,
      );
      expect(sessions.rowCount).toBe(0);
    },
    { timeout: 15_000 },
  );
}

/** Opens a transaction that has written a row, for whose end the build of an index waits. */
async function beginWrite() {
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query(`INSERT INTO events (customer) VALUES ('slow')`);
  const end = async () => {
    await client.query('COMMIT');
    client.release();
  };
  return { end };
}

const insert = `INSERT INTO events (customer) VALUES ('meanwhile')`;

test('replicas build an index concurrently once, while rows are written', async () => {
  const folder = await folderOf({ '0001_events.sql': events, '0002_index.sql': index });
  await migrate(database.url, await folderOf({ '0001_events.sql': events }));
  const slow = await beginWrite();
  const migrators = await Promise.all([1, 2, 3].map(() => startMigrator(database.url, folder)));
  for (const { go } of migrators) go();
  await untilWaiting('virtualxid');
  await pool.query(insert);
  expect(await indexes()).toMatchObject({ events_by_customer: false });
  await slow.end();
  const answers = await Promise.all(migrators.map(({ answer }) => answer));
  expect(answers.flatMap((answer) => JSON.parse(answer))).toEqual(['0002_index.sql']);
  expect(await indexes()).toMatchObject({ events_by_customer: true });
}, 60_000);

test('an index whose build was killed is built again', async () => {
  const folder = await folderOf({ '0001_events.sql': events, '0002_index.sql': index });
  await migrate(database.url, await folderOf({ '0001_events.sql': events }));
  const slow = await beginWrite();
  const killed = await startMigrator(database.url, folder);
  killed.go();
  await untilWaiting('virtualxid');
  await kill(killed);
  await slow.end();
  expect(await indexes()).toMatchObject({ events_by_customer: false });
  expect(await migrate(database.url, folder)).toEqual(['0002_index.sql']);
  expect(await indexes()).toEqual({ events_pkey: true, events_by_customer: true });
});

test('a unique index that failed is built again once its duplicates are gone', async () => {
  const unique = index.replace('CREATE', 'CREATE UNIQUE');
  const folder = await folderOf({
    '0001_events.sql': `${events} ${insert}; ${insert}`,
    '0002_index.sql': unique,
  });
  await expect(migrate(database.url, folder)).rejects.toThrow(
    'migration 0002_index.sql failed outside of a transaction, and the next start runs it again: could not create unique index',
  );
  expect(await indexes()).toMatchObject({ events_by_customer: false });
  await pool.query(`DELETE FROM events WHERE customer = 'meanwhile'`);
  expect(await migrate(database.url, folder)).toEqual(['0002_index.sql']);
  expect(await indexes()).toMatchObject({ events_by_customer: true });
});

test('an index that an operator has built before the release is kept', async () => {
  await migrate(database.url, await folderOf({ '0001_events.sql': events }));
  await pool.query(index);
  const before = await pool.query(`SELECT 'events_by_customer'::regclass::oid AS oid`);
  await migrate(database.url, await folderOf({ '0001_events.sql': events, '0002_index.sql': index }));
  expect((await pool.query(`SELECT 'events_by_customer'::regclass::oid AS oid`)).rows).toEqual(before.rows);
});

test('a backfill that is killed keeps its batches, and the next start does the rest', async () => {
  const folder = await folderOf({ '0001_events.sql': events, '0002_backfill.sql': backfill });
  await migrate(database.url, await folderOf({ '0001_events.sql': events }));
  // The sixth batch waits for this row.
  const client = await pool.connect();
  await client.query('BEGIN; SELECT FROM events WHERE seq = 55 FOR UPDATE');
  const killed = await startMigrator(database.url, folder);
  killed.go();
  await untilWaiting('transactionid');
  await kill(killed);
  await client.query('ROLLBACK');
  client.release();
  const filled = 'SELECT count(*)::int AS count FROM events WHERE customer_key IS NOT NULL';
  expect((await pool.query(filled)).rows).toEqual([{ count: 50 }]);
  expect(await migrate(database.url, folder)).toEqual(['0002_backfill.sql']);
  expect((await pool.query(filled)).rows).toEqual([{ count: 100 }]);
});

test('a migration outside of a transaction is one statement', async () => {
  const folder = await folderOf({
    '0001_events.sql': events,
    '0002_two.sql': `-- no transaction\n${insert}; ${insert}`,
  });
  await expect(migrate(database.url, folder)).rejects.toThrow('0002_two.sql failed');
  expect((await pool.query('SELECT name FROM schema_migrations')).rows).toEqual([
    { name: '0001_events.sql' },
  ]);
  expect((await pool.query(`SELECT FROM events WHERE customer = 'meanwhile'`)).rowCount).toBe(0);
});

test('an error says what a migration needs', async () => {
  const inTransaction = await folderOf({
    '0001_events.sql': events,
    '0002_index.sql': index.replace('-- no transaction\n', ''),
  });
  await expect(migrate(database.url, inTransaction)).rejects.toThrow(
    '0002_index.sql failed and was rolled back: CREATE INDEX CONCURRENTLY cannot run inside a transaction block: begin the file with the line "-- no transaction"',
  );
  const role = new URL(database.url).pathname.slice(1);
  await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT SELECT ON schema_migrations TO ${role}`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'x';
  const folder = await folderOf({
    '0001_events.sql': events,
    '0002_state.sql': 'ALTER TABLE events ADD state text',
  });
  await expect(migrate(url.href, folder)).rejects.toThrow(
    '0002_state.sql failed and was rolled back: must be owner of table events: migrate with the database URL of the role that owns the tables',
  );
  await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
});
