import { afterAll, beforeAll, expect, test } from 'vitest';
import { isUnavailable, violatesConstraint } from '../errors/database-errors.ts';
import { openPool } from '../pool/pool.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { query } from './query.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** Opens one connection without the pool's limits for statements, so that only a cancel ends them. */
function openOne() {
  const url = `${database.url}?statement_timeout=0&query_timeout=60000`;
  const pool = openPool({ url, max: 1, applicationName: 'query', onError: () => {} });
  return { pool, [Symbol.asyncDispose]: () => pool.end() };
}

const backend = { text: 'SELECT pg_backend_pid() AS pid' };

test('an abort cancels the statement on the server, and the connection is reused', async () => {
  await using one = openOne();
  await using other = openOne();
  const { signal: never } = new AbortController();
  const [before] = (await query(one.pool, backend, never)).rows;
  const controller = new AbortController();
  const slow = query(one.pool, { text: 'SELECT pg_sleep(60)' }, controller.signal);
  const running = {
    text: `SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'`,
  };
  await expect.poll(async () => (await other.pool.query(running)).rowCount).toBe(1);
  controller.abort(new Error('cancelled by the caller'));
  await expect(slow).rejects.toThrow('cancelled by the caller');
  expect((await other.pool.query(running)).rowCount).toBe(0);
  expect((await query(one.pool, backend, never)).rows).toEqual([before]);
});

test('nothing is sent when the signal is already aborted', async () => {
  await using one = openOne();
  const gone = AbortSignal.abort(new Error('gone'));
  await expect(query(one.pool, { text: 'SELECT 1' }, gone)).rejects.toThrow('gone');
  expect(one.pool.totalCount).toBe(0);
});

test('a statement that violates a constraint says which, and its connection is reused', async () => {
  await using one = openOne();
  await one.pool.query('CREATE TABLE stored (units int CONSTRAINT not_below_zero CHECK (units >= 0))');
  const [before] = (await query(one.pool, backend)).rows;
  const failure = await query(one.pool, { text: 'INSERT INTO stored VALUES (-1)' }).catch((error) => error);
  expect(violatesConstraint(failure, 'not_below_zero')).toBe(true);
  expect(violatesConstraint(failure, 'another')).toBe(false);
  expect((await query(one.pool, backend)).rows).toEqual([before]);
});

test('a lost connection is not reused, and the connection of a failed statement is', async () => {
  await using one = openOne();
  const { signal } = new AbortController();
  const [first] = (await query(one.pool, backend, signal)).rows;
  await expect(query(one.pool, { text: 'SELECT nothing' }, signal)).rejects.toMatchObject({ code: '42703' });
  expect((await query(one.pool, backend, signal)).rows).toEqual([first]);
  const lost = query(one.pool, { text: 'SELECT pg_terminate_backend(pg_backend_pid())' }, signal);
  expect(await lost.catch(isUnavailable)).toBe(true);
  expect((await query(one.pool, backend, signal)).rows).not.toEqual([first]);
});
