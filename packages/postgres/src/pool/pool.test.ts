import { once } from 'node:events';
import { expect, test } from 'vitest';
import { queryOnce } from '../testing/query-once.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { openPool } from './pool.ts';

test('bigint is decoded as bigint, alone and in arrays, and timestamptz as Date', async () => {
  await using database = await createTestDatabase();
  const pool = openPool({ url: database.url, max: 1, applicationName: 'test', onError: () => {} });
  const { rows } = await pool.query(`
    SELECT 9007199254740993::bigint AS big, ARRAY[1, NULL, 3]::bigint[] AS many, 7::int AS small,
           '2026-01-02T03:04:05Z'::timestamptz AS at, sum(n) AS total FROM generate_series(1, 3) AS n`);
  expect(rows).toEqual([
    {
      big: 9007199254740993n,
      many: [1n, null, 3n],
      small: 7,
      at: new Date('2026-01-02T03:04:05Z'),
      total: 6n,
    },
  ]);
  await pool.end();
});

test('a lost idle connection is reported and replaced, and does not end the process', async () => {
  await using database = await createTestDatabase();
  const died = Promise.withResolvers<Error>();
  const pool = openPool({ url: database.url, max: 2, applicationName: 'test', onError: died.resolve });
  const [killer, victim] = await Promise.all([pool.connect(), pool.connect()]);
  const { rows } = await victim.query('SELECT pg_backend_pid() AS pid');
  victim.release();
  await killer.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
  expect(await died.promise).toMatchObject({ code: '57P01' });
  killer.release();
  const answers = await Promise.all([pool.query('SELECT 1 AS one'), pool.query('SELECT 1 AS one')]);
  expect(answers.map((answer) => answer.rows)).toEqual([[{ one: 1 }], [{ one: 1 }]]);
  await pool.end();
});

test('a connection that is lost right after it is handed out does not end the process', async () => {
  await using database = await createTestDatabase();
  const pool = openPool({ url: database.url, max: 2, applicationName: 'test', onError: () => {} });
  const [killer, victim] = await Promise.all([pool.connect(), pool.connect()]);
  const { rows } = await victim.query('SELECT pg_backend_pid() AS pid');
  const ended = new Promise((resolve) => victim.once('end', resolve));
  const uncaught: unknown[] = [];
  const record = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', record);
  try {
    await killer.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    await ended;
    expect(uncaught).toEqual([]);
  } finally {
    process.off('uncaughtException', record);
    killer.release();
    victim.release(true);
    await pool.end();
  }
});

test('every session has limits and its application’s name', async () => {
  await using database = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  for (const limit of [
    'statement_timeout',
    'lock_timeout',
    'idle_in_transaction_session_timeout',
    'idle_session_timeout',
  ])
    await queryOnce(database.url, `ALTER DATABASE ${name} SET ${limit} = '1h'`);
  const pool = openPool({ url: database.url, max: 1, applicationName: 'orders', onError: () => {} });
  const { rows } = await pool.query(`
    SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
           current_setting('idle_in_transaction_session_timeout') AS idle,
           current_setting('idle_session_timeout') AS unused,
           current_setting('application_name') AS name`);
  expect(rows).toEqual([{ statement: '10s', lock: '5s', idle: '10s', unused: '0', name: 'orders' }]);
  await pool.end();
});

test('at most max connections are open', async () => {
  await using database = await createTestDatabase();
  const pool = openPool({ url: database.url, max: 2, applicationName: 'test', onError: () => {} });
  const waiting = Array.from({ length: 10 }, () => pool.query('SELECT pg_backend_pid() AS pid'));
  const pids = new Set((await Promise.all(waiting)).map(({ rows }) => rows[0].pid));
  expect(pids.size).toBeLessThanOrEqual(2);
  const closed = once(pool, 'remove');
  await pool.end();
  await closed;
});

test('every connection has its settings when it is handed out', async () => {
  await using database = await createTestDatabase();
  const pool = openPool({ url: database.url, max: 2, applicationName: 'test', onError: () => {} });
  const limits = await Promise.all(
    Array.from({ length: 20 }, () => pool.query(`SELECT current_setting('lock_timeout') AS limit`)),
  );
  expect(new Set(limits.map(({ rows }) => rows[0].limit))).toEqual(new Set(['5s']));
  await pool.end();
});
