import { expect, test } from 'vitest';
import { isStalePlan } from '../errors/database-errors.ts';
import { databaseStatus } from '../errors/database-status.ts';
import { openTestPool } from '../testing/open-test-pool.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { query } from '../transaction/query.ts';
import { type Tx, transaction } from '../transaction/transaction.ts';

const max = 10;
const read = { name: 'read', text: 'SELECT title, count FROM things' };
const write = {
  name: 'write',
  text: 'UPDATE things SET count = count + 1 RETURNING title, count',
};
const { signal } = new AbortController();

/** Creates a table of one row, and a pool whose connections have all prepared `read` and `write`. */
async function openWarmPool() {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  const open = (size: number) => opened.use(openTestPool({ url, max: size }));
  const admin = open(1);
  await admin.query(`CREATE TABLE things (title text, count int); INSERT INTO things VALUES ('one', 0)`);
  const pool = open(max);
  const clients = await Promise.all(Array.from({ length: max }, () => pool.connect()));
  for (const client of clients) {
    await client.query(read);
    await client.query('BEGIN');
    await client.query(write);
    await client.query('ROLLBACK');
  }
  for (const client of clients) client.release();
  const kept = opened.move();
  return {
    pool,
    changeType: () => admin.query(`ALTER TABLE things ALTER COLUMN title TYPE varchar(300)`),
    count: async () => (await admin.query<{ count: number }>('SELECT count FROM things')).rows[0]?.count,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

test('the pool’s statements run once each when every connection has a stale plan', async () => {
  await using warm = await openWarmPool();
  await warm.changeType();
  const writes = await Promise.all(Array.from({ length: 30 }, () => warm.pool.query(write)));
  expect(writes.map(({ rowCount }) => rowCount)).toEqual(Array(30).fill(1));
  expect(await warm.count()).toBe(30);
});

test('a statement succeeds after ten connections with stale plans', async () => {
  await using warm = await openWarmPool();
  await warm.changeType();
  let failed = 0;
  warm.pool.on('release', (error) => {
    if (isStalePlan(error)) failed++;
  });
  expect((await warm.pool.query(write)).rows).toEqual([{ title: 'one', count: 1 }]);
  expect(failed).toBe(max);
});

test('a read with `query` is repeated too', async () => {
  await using warm = await openWarmPool();
  await warm.changeType();
  expect((await query(warm.pool, read, signal)).rows).toEqual([{ title: 'one', count: 0 }]);
});

test('a transaction is repeated as a whole', async () => {
  await using warm = await openWarmPool();
  await warm.changeType();
  let runs = 0;
  const change = async (tx: Tx) => {
    runs++;
    await tx.query('UPDATE things SET count = count + 100');
    return (await tx.query(write)).rows;
  };
  expect(await transaction(warm.pool, change)).toEqual([{ title: 'one', count: 101 }]);
  expect(runs).toBe(max + 1);
  expect(await warm.count()).toBe(101);
});

test('a transaction with one attempt is UNAVAILABLE, and its connection is closed', async () => {
  await using warm = await openWarmPool();
  await warm.changeType();
  const failure = await transaction(warm.pool, (tx) => tx.query(write), { maxAttempts: 1 }).catch(
    (error: unknown) => error,
  );
  expect(isStalePlan(failure)).toBe(true);
  expect(databaseStatus(failure)).toMatchObject({ message: 'the database is unavailable' });
  expect([warm.pool.totalCount, await warm.count()]).toEqual([max - 1, 0]);
});

test('another error with the same SQLSTATE is not a stale plan', async () => {
  await using warm = await openWarmPool();
  await expect(warm.pool.query('SELECT count(*) FROM things FOR UPDATE')).rejects.toSatisfy(
    (error) => error instanceof Error && 'code' in error && error.code === '0A000' && !isStalePlan(error),
  );
});
