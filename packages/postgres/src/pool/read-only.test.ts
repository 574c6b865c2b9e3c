import { Code } from '@acme/rpc/errors';
import { expect, test } from 'vitest';
import { isUnavailable, ReadOnlyServerError } from '../errors/database-errors.ts';
import { databaseStatus } from '../errors/database-status.ts';
import { openTestPool } from '../testing/open-test-pool.ts';
import { queryOnce } from '../testing/query-once.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { transaction } from '../transaction/transaction.ts';
import { openReadiness } from './pool.ts';

const insert = 'INSERT INTO numbers VALUES (1)';

/** Opens a database whose new sessions are read-only, like those of a standby, until `promote`. */
async function openReadOnlyDatabase() {
  const database = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  await queryOnce(database.url, 'CREATE TABLE numbers (n int)');
  await queryOnce(database.url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  return {
    ...database,
    promote: () =>
      queryOnce(
        `${database.url}?options=-c%20default_transaction_read_only%3Doff`,
        `ALTER DATABASE ${name} RESET default_transaction_read_only`,
      ),
  };
}

test('a write on a connection whose server has become read-only is UNAVAILABLE, and the connection is closed', async () => {
  await using database = await createTestDatabase();
  await using pool = openTestPool({ url: database.url, max: 1 });
  await pool.query('CREATE TABLE numbers (n int)');
  for (const write of [() => pool.query(insert), () => transaction(pool, (tx) => tx.query(insert))]) {
    await pool.query('SET default_transaction_read_only = on');
    const error = await write().catch((failure) => failure);
    expect(error).toMatchObject({ code: '25006' });
    expect(databaseStatus(error)).toMatchObject({ code: Code.UNAVAILABLE });
    expect(await write()).toMatchObject({ rowCount: 1 });
  }
});

test('no connection to a read-only server is handed out', async () => {
  await using database = await openReadOnlyDatabase();
  await using pool = openTestPool({ url: database.url, max: 1 });
  const error = await pool.query('SELECT 1').catch((failure) => failure);
  expect(error).toBeInstanceOf(ReadOnlyServerError);
  expect(isUnavailable(error)).toBe(true);
  await expect(transaction(pool, (tx) => tx.query(insert))).rejects.toThrow(ReadOnlyServerError);
  await database.promote();
  expect(await pool.query(insert)).toMatchObject({ rowCount: 1 });
});

test('target_session_attrs=any in the URL allows reads of a read-only server', async () => {
  await using database = await openReadOnlyDatabase();
  await using pool = openTestPool({ url: `${database.url}?target_session_attrs=any`, max: 1 });
  expect(await pool.query('SELECT FROM numbers')).toMatchObject({ rowCount: 0 });
});

test('a read-only database is not ready until it accepts writes', async () => {
  await using database = await openReadOnlyDatabase();
  const readiness = openReadiness(database.url, 'test');
  await expect(readiness.check()).rejects.toThrow(ReadOnlyServerError);
  await database.promote();
  await readiness.check();
  await readiness.close();
});
