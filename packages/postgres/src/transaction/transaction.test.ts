import { Code } from '@acme/rpc/errors';
import { expect, test } from 'vitest';
import { isUnavailable } from '../errors/database-errors.ts';
import { databaseStatus } from '../errors/database-status.ts';
import { backendOf, countOf, increment, useCounters } from '../testing/counters.ts';
import { type Tx, transaction } from './transaction.ts';

const counters = useCounters();

/** Returns a function whose first `count` calls resolve together. */
function gate(count: number): () => Promise<void> {
  const opened = Promise.withResolvers<void>();
  let missing = count;
  return () => {
    missing -= 1;
    if (missing === 0) opened.resolve();
    return opened.promise;
  };
}

test('a transaction commits and returns its result', async () => {
  await using pool = counters.poolOf(1);
  const result = await transaction(pool, async (tx) => {
    await increment(tx, 'a');
    expect(await countOf(counters.admin, 'a')).toBe(0);
    return 'done';
  });
  expect([result, await countOf(counters.admin, 'a')]).toEqual(['done', 1]);
});

test('an error rolls back and is thrown unchanged, and the connection is reused', async () => {
  await using pool = counters.poolOf(1);
  const failure = new Error('the work failed');
  let pid = 0;
  const failed = transaction(pool, async (tx) => {
    pid = await backendOf(tx);
    await increment(tx, 'a');
    throw failure;
  });
  await expect(failed).rejects.toBe(failure);
  expect([await countOf(pool, 'a'), await backendOf(pool)]).toEqual([0, pid]);
});

test('a transaction that catches a statement’s error is rejected, not committed', async () => {
  await using pool = counters.poolOf(1);
  const swallowed = transaction(pool, async (tx) => {
    await increment(tx, 'a');
    await tx.query('SELECT FROM nowhere').catch(() => {});
  });
  await expect(swallowed).rejects.toThrow('rolled back');
  expect(await countOf(pool, 'a')).toBe(0);
});

test('a serialization failure is retried until both transactions commit', async () => {
  await using pool = counters.poolOf(2);
  const bothHaveRead = gate(2);
  let attempts = 0;
  const addUp = (from: string, to: string) =>
    transaction(pool, async (tx) => {
      attempts += 1;
      await tx.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
      const value = (await countOf(tx, from)) ?? 0;
      await bothHaveRead();
      await tx.query('UPDATE counters SET value = $2 WHERE name = $1', [to, value + 1]);
    });
  await Promise.all([addUp('a', 'b'), addUp('b', 'a')]);
  expect(attempts).toBeGreaterThanOrEqual(3);
  expect([await countOf(pool, 'a'), await countOf(pool, 'b')].sort()).toEqual([1, 2]);
});

test('a deadlock is retried', async () => {
  await using pool = counters.poolOf(2);
  const bothHaveLocked = gate(2);
  let attempts = 0;
  const both = (first: string, second: string) =>
    transaction(pool, async (tx) => {
      attempts += 1;
      await increment(tx, first);
      await bothHaveLocked();
      await increment(tx, second);
    });
  await Promise.all([both('a', 'b'), both('b', 'a')]);
  expect([await countOf(pool, 'a'), await countOf(pool, 'b')]).toEqual([2, 2]);
  // PostgreSQL may end both transactions of a deadlock.
  expect(attempts).toBeGreaterThan(2);
});

test('a transaction fails after five attempts', async () => {
  await using pool = counters.poolOf(1);
  let attempts = 0;
  const hopeless = transaction(pool, async (tx) => {
    attempts += 1;
    await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
  });
  await expect(hopeless).rejects.toMatchObject({ code: '40001' });
  expect(attempts).toBe(5);
});

test('a transaction with one attempt is not retried', async () => {
  await using pool = counters.poolOf(1);
  let attempts = 0;
  const hopeless = transaction(
    pool,
    async (tx) => {
      attempts += 1;
      await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$`);
    },
    { maxAttempts: 1 },
  );
  const error = await hopeless.catch((reason: unknown) => reason);
  expect(databaseStatus(error)).toMatchObject({ code: Code.ABORTED });
  expect(attempts).toBe(1);
});

test('a connection lost during or between statements is unavailable and not reused', async () => {
  await using pool = counters.poolOf(1);
  const during = transaction(pool, async (tx) => tx.query('SELECT pg_terminate_backend(pg_backend_pid())'));
  expect(await during.catch(isUnavailable)).toBe(true);
  const between = transaction(pool, async (tx) => {
    // With a timeout the server answers only once the other backend has ended.
    await counters.admin.query('SELECT pg_terminate_backend($1, 5000)', [await backendOf(tx)]);
    await increment(tx, 'a');
  });
  expect(await between.catch(isUnavailable)).toBe(true);
  expect(await transaction(pool, async (tx) => countOf(tx, 'a'))).toBe(0);
});

test('a query after the end of its transaction is rejected', async () => {
  await using pool = counters.poolOf(1);
  let leaked: Tx | undefined;
  await transaction(pool, async (tx) => {
    leaked = tx;
  });
  await expect(leaked?.query('SELECT 1')).rejects.toThrow('is an await missing?');
});
