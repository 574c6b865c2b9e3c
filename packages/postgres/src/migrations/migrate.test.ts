import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { migrationFolder, startMigrator } from '../testing/migrators.ts';
import { openTestPool } from '../testing/open-test-pool.ts';
import { startPoolerProxy } from '../testing/pooler-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { changedMigrations } from './changed-migrations.ts';
import { migrate } from './migrate.ts';

let database: TestDatabase;
let admin: Pool;
const folders: AsyncDisposable[] = [];
beforeEach(async () => {
  database = await createTestDatabase();
  admin = openTestPool({ url: database.url, max: 1 });
});
afterEach(async () => {
  await admin.end();
  await database[Symbol.asyncDispose]();
  for (const folder of folders.splice(0)) await folder[Symbol.asyncDispose]();
});

async function folderOf(files: Record<string, string>): Promise<URL> {
  const folder = await migrationFolder(files);
  folders.push(folder);
  return folder.url;
}

async function columnsOf(table: string): Promise<string[]> {
  const { rows } = await admin.query(
    'SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY 1',
    [table],
  );
  return rows.map((row) => row.column_name);
}

const first = 'CREATE TABLE orders (id int);';
const second = 'ALTER TABLE orders ADD COLUMN state text;\nINSERT INTO orders VALUES (1);';

test('migrations run in order, once', async () => {
  const folder = await folderOf({
    '0002_state.sql': second,
    '0001_orders.sql': first,
    'README.md': 'not SQL',
  });
  expect(await changedMigrations(database.url, folder)).toEqual([]);
  expect(await migrate(database.url, folder)).toEqual(['0001_orders.sql', '0002_state.sql']);
  expect(await changedMigrations(database.url, folder)).toEqual([]);
  expect(await migrate(database.url, folder)).toEqual([]);
  expect(await columnsOf('orders')).toEqual(['id', 'state']);
  const longer = await folderOf({
    '0001_orders.sql': first,
    '0002_state.sql': second.replaceAll('\n', '\r\n'),
    '0003_more.sql': 'SELECT 1',
  });
  expect(await migrate(database.url, longer)).toEqual(['0003_more.sql']);
});

test('twenty processes that start at once apply each migration once', async () => {
  const folder = await folderOf({
    '0001_orders.sql': first,
    '0002_state.sql': second,
    '0003_slow.sql': 'SELECT pg_sleep(0.3)',
  });
  const migrators = await Promise.all(Array.from({ length: 20 }, () => startMigrator(database.url, folder)));
  for (const { go } of migrators) go();
  const answers = await Promise.all(migrators.map(({ answer }) => answer));
  const applied = answers.flatMap((answer) => JSON.parse(answer));
  expect(applied.sort()).toEqual(['0001_orders.sql', '0002_state.sql', '0003_slow.sql']);
  expect((await admin.query('SELECT FROM orders')).rowCount).toBe(1);
}, 60_000);

test('a process killed during a migration leaves no half of it, and does not block the next one', async () => {
  const slow = `${second} SELECT pg_sleep(30);`;
  const killed = await startMigrator(
    database.url,
    await folderOf({ '0001_orders.sql': first, '0002_state.sql': slow }),
  );
  killed.go();
  await vi.waitFor(
    async () => {
      const sleeping = await admin.query(
        `SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`,
      );
      expect(sleeping.rowCount).toBe(1);
    },
    { timeout: 10_000 },
  );
  killed.child.kill('SIGKILL');
  await killed.ended;
  expect(await columnsOf('orders')).toEqual(['id']);
  const fixed = await folderOf({ '0001_orders.sql': first, '0002_state.sql': second });
  expect(await migrate(database.url, fixed)).toEqual(['0002_state.sql']);
  expect(await columnsOf('orders')).toEqual(['id', 'state']);
});

test('a failed migration is rolled back, its error names the line, and earlier migrations are kept', async () => {
  const folder = await folderOf({ '0001_orders.sql': first, '0002_bad.sql': `${second}\nSELECT nonsense;` });
  await expect(migrate(database.url, folder)).rejects.toThrow(
    'migration 0002_bad.sql failed and was rolled back: column "nonsense" does not exist (line 3)',
  );
  expect(await columnsOf('orders')).toEqual(['id']);
  expect((await admin.query('SELECT name FROM schema_migrations')).rows).toEqual([
    { name: '0001_orders.sql' },
  ]);
});

test('a migration that ends its own transaction is not recorded', async () => {
  const folder = await folderOf({ '0001_orders.sql': `${first} COMMIT;` });
  await expect(migrate(database.url, folder)).rejects.toThrow('0001_orders.sql has a COMMIT');
});

test('an older release starts after a newer one has migrated', async () => {
  await migrate(database.url, await folderOf({ '0001_orders.sql': first, '0002_state.sql': second }));
  expect(await migrate(database.url, await folderOf({ '0001_orders.sql': first }))).toEqual([]);
});

test('a changed, a renamed and a missing migration are reported by name', async () => {
  await migrate(database.url, await folderOf({ '0001_orders.sql': first, '0002_state.sql': second }));
  const changed = await folderOf({ '0001_orders.sql': `${first} ` });
  await expect(migrate(database.url, changed)).rejects.toThrow(
    '0001_orders.sql was changed after it was applied',
  );
  expect(await changedMigrations(database.url, changed)).toEqual(['0001_orders.sql']);
  const renamed = await folderOf({ '0001_orders.sql': first, '0002_other.sql': second });
  await expect(migrate(database.url, renamed)).rejects.toThrow(
    '0002_other.sql: the database has 0002_state.sql',
  );
  await admin.query(`DELETE FROM schema_migrations WHERE name = '0001_orders.sql'`);
  const whole = await folderOf({ '0001_orders.sql': first, '0002_state.sql': second });
  await expect(migrate(database.url, whole)).rejects.toThrow('0001_orders.sql is missing from the database');
});

test('a comparison whose connection is lost rejects, and the process goes on', async () => {
  const folder = await folderOf({ '0001_orders.sql': first });
  await migrate(database.url, folder);
  const url = new URL(database.url);
  await using proxy = await startPoolerProxy(Number(url.port));
  url.port = `${proxy.port}`;
  await using locking = openTestPool({ url: database.url, max: 1 });
  const lock = await locking.connect();
  try {
    await lock.query('BEGIN; LOCK TABLE schema_migrations');
    const comparison = expect(changedMigrations(url.href, folder)).rejects.toThrow('Connection terminated');
    await vi.waitFor(
      async () => {
        const blocked = await admin.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        );
        expect(blocked.rowCount).toBe(1);
      },
      { timeout: 10_000 },
    );
    await proxy[Symbol.asyncDispose]();
    await comparison;
  } finally {
    await lock.query('ROLLBACK');
    lock.release();
  }
});

test('a gap, a number used twice and an invalid name are rejected before anything is applied', async () => {
  for (const [bad, complaint] of [
    ['0003_gap.sql', '0003_gap.sql: expected 0002'],
    ['0001_twice.sql', '0001_twice.sql: expected 0002'],
    ['2_short.sql', '2_short.sql: rename it'],
  ] as const) {
    const folder = await folderOf({ '0001_orders.sql': first, [bad]: second });
    await expect(migrate(database.url, folder)).rejects.toThrow(complaint);
  }
  expect(await columnsOf('orders')).toEqual([]);
});

test('a role without the right to create tables can start on a migrated database', async () => {
  const folder = await folderOf({ '0001_orders.sql': first });
  await migrate(database.url, folder);
  const role = new URL(database.url).pathname.slice(1);
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT SELECT ON schema_migrations TO ${role}`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'x';
  expect(await migrate(url.href, folder)).toEqual([]);
  await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
});
