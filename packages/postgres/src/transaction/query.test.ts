import { afterAll, beforeAll, expect, test } from 'vitest';
import { isUnavailable } from '../errors/database-errors.ts';
import { openPool } from '../pool/pool.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { query } from './query.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** One connection. Nothing but a cancel ends its statements: the pool's own limits would, after a while. */
function openOne() {
  const url = `${database.url}?statement_timeout=0&query_timeout=60000`;
  const pool = openPool({ url, max: 1, applicationName: 'query', onError: () => {} });
  return { pool, [Symbol.asyncDispose]: () => pool.end() };
}

const backend = { text: 'SELECT pg_backend_pid() AS pid' };

test('ensures an abort cancels the statement on the server, and the connection is used again', async () => {
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
  controller.abort(new Error('the caller has gone'));
  await expect(slow).rejects.toThrow('the caller has gone');
  expect((await other.pool.query(running)).rowCount).toBe(0);
  expect((await query(one.pool, backend, never)).rows).toEqual([before]);
});

test('ensures nothing is sent for a caller that has gone already', async () => {
  await using one = openOne();
  const gone = AbortSignal.abort(new Error('gone'));
  await expect(query(one.pool, { text: 'SELECT 1' }, gone)).rejects.toThrow('gone');
  expect(one.pool.totalCount).toBe(0);
});

test('ensures a lost connection is not used again, and a failed statement’s is', async () => {
  await using one = openOne();
  const { signal } = new AbortController();
  const [first] = (await query(one.pool, backend, signal)).rows;
  await expect(query(one.pool, { text: 'SELECT nothing' }, signal)).rejects.toMatchObject({ code: '42703' });
  expect((await query(one.pool, backend, signal)).rows).toEqual([first]);
  const lost = query(one.pool, { text: 'SELECT pg_terminate_backend(pg_backend_pid())' }, signal);
  expect(await lost.catch(isUnavailable)).toBe(true);
  expect((await query(one.pool, backend, signal)).rows).not.toEqual([first]);
});
