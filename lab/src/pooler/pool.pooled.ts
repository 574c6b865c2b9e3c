import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isTimeout } from '@acme/postgres/errors';
import { migrate } from '@acme/postgres/migrations';
import { openReadiness, type Pool, preferIndexScans } from '@acme/postgres/pool';
import { createTestDatabase, openTestPool, queryOnce } from '@acme/postgres/testing';
import { query, transaction } from '@acme/postgres/transaction';
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { type PoolerKind, poolerKinds, startPgbouncer } from './pgbouncer.ts';

/** Server connections: fewer than the pool of a test has, so that its connections take turns. */
const poolSize = 4;

/** A database, its pooler, and a pool of more connections than the pooler has. */
async function openPooled(kind: PoolerKind, { setting = '', parameters = '' } = {}) {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  if (setting) await queryOnce(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET ${setting}`);
  const pooler = opened.use(await startPgbouncer(kind, url, poolSize));
  const pooledUrl = pooler.urlOf(url);
  const pool = opened.use(
    openTestPool({ url: `${pooledUrl}${parameters}`, max: 12, settings: preferIndexScans }),
  );
  const kept = opened.move();
  return { url, pooledUrl, pooler, pool, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const asleep = { text: 'SELECT pg_sleep(60)' };
const { signal } = new AbortController();

/** Returns the number of backends that run `asleep`. */
async function countAsleep(url: string): Promise<number> {
  const text = `SELECT FROM pg_stat_activity WHERE query = '${asleep.text}' AND state = 'active'`;
  return (await queryOnce(url, text)).length;
}

describe.for(poolerKinds)('behind PgBouncer $name', (kind) => {
  test.for([
    `DateStyle = 'German'`,
    `TimeZone = 'Asia/Tokyo'`,
    `search_path = ''`,
    `bytea_output = 'escape'`,
  ])(
    'every statement has its settings on a database with %s, and none stays with a backend',
    async (setting) => {
      await using pooled = await openPooled(kind, { setting });
      await queryOnce(pooled.url, 'CREATE TABLE public.things (at timestamptz, data bytea)');
      const row = { at: new Date('2026-03-04T05:06:07.089Z'), data: Buffer.from([0, 1, 92, 255]) };
      await pooled.pool.query('INSERT INTO things VALUES ($1, $2)', [row.at, row.data]);
      const read = { name: 'things', text: 'SELECT * FROM things' };
      const settings = {
        text: `SELECT current_setting('enable_seqscan') AS scan, current_setting('lock_timeout') AS lock`,
      };
      for (let round = 0; round < 3; round++) {
        const rows = await Promise.all(
          Array.from({ length: 12 }, async () => (await pooled.pool.query(read)).rows),
        );
        expect(rows).toEqual(Array(12).fill([row]));
        expect((await query(pooled.pool, settings, signal)).rows).toEqual([{ scan: 'off', lock: '5s' }]);
        const inTransaction = await transaction(pooled.pool, async (tx) => (await tx.query(settings)).rows);
        expect(inTransaction).toEqual([{ scan: 'off', lock: '5s' }]);
      }
      expect(await queryOnce(pooled.pooledUrl, settings.text)).toEqual([{ scan: 'on', lock: '0' }]);
    },
  );

  test('statements are prepared only if the pooler supports it', async () => {
    await using pooled = await openPooled(kind);
    const read = { name: 'answer', text: 'SELECT $1::int AS answer' };
    const run = (answer: number) => pooled.pool.query({ ...read, values: [answer] });
    const answers = await Promise.all(Array.from({ length: 50 }, (_, answer) => run(answer)));
    expect(answers.map(({ rows }) => rows[0].answer)).toEqual(
      Array.from({ length: 50 }, (_, answer) => answer),
    );
    const prepared = await transaction(pooled.pool, async (tx) => {
      await tx.query({ ...read, values: [1] });
      return tx.query('SELECT FROM pg_prepared_statements WHERE statement = $1', [read.text]);
    });
    expect(prepared.rowCount).toBe(kind.maxPreparedStatements ? 1 : 0);
  });

  test.for([
    ['a statement', (pool: Pool, write: pg.QueryConfig) => pool.query(write)],
    ['a statement with a deadline', (pool: Pool, write: pg.QueryConfig) => query(pool, write, signal)],
    ['a transaction', (pool: Pool, write: pg.QueryConfig) => transaction(pool, (tx) => tx.query(write))],
  ] as const)('%s succeeds once after the type of a column has changed', async ([, run]) => {
    await using pooled = await openPooled(kind);
    await queryOnce(pooled.url, 'CREATE TABLE things (title text, count int)');
    await queryOnce(pooled.url, `INSERT INTO things VALUES ('one', 0)`);
    const write = { name: 'write', text: 'UPDATE things SET count = count + 1 RETURNING title' };
    const writeAll = () => Promise.all(Array.from({ length: 12 }, () => run(pooled.pool, write)));
    for (const length of [100, 200, 300]) {
      await writeAll();
      await queryOnce(pooled.url, `ALTER TABLE things ALTER COLUMN title TYPE varchar(${length})`);
    }
    await writeAll();
    expect(await queryOnce(pooled.url, 'SELECT count FROM things')).toEqual([{ count: 48 }]);
  });

  test('a connection runs further statements after one that failed', async () => {
    await using pooled = await openPooled(kind);
    const client = await pooled.pool.connect();
    try {
      await expect(client.query('SELECT nonsense')).rejects.toThrow('column "nonsense" does not exist');
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    } finally {
      client.release(true);
    }
  });

  test('an aborted statement is cancelled, and the backends serve other statements', async () => {
    await using pooled = await openPooled(kind, { parameters: '?statement_timeout=0' });
    const controller = new AbortController();
    const reason = new Error('the deadline is over');
    const sleeping = Promise.allSettled([
      query(pooled.pool, asleep, controller.signal),
      transaction(pooled.pool, (tx) => tx.query(asleep), { signal: controller.signal }),
    ]);
    await expect.poll(() => countAsleep(pooled.url)).toBe(2);
    controller.abort(reason);
    const rejected = { status: 'rejected', reason };
    expect(await sleeping).toEqual([rejected, rejected]);
    await expect.poll(() => countAsleep(pooled.url)).toBe(0);
    const ones = await Promise.all(Array.from({ length: 24 }, () => pooled.pool.query('SELECT 1 AS one')));
    expect(ones.map(({ rows }) => rows[0].one)).toEqual(Array(24).fill(1));
  });

  test('statement_timeout and lock_timeout of the URL end statements', async () => {
    await using pooled = await openPooled(kind, { parameters: '?statement_timeout=300&lock_timeout=100' });
    await queryOnce(pooled.url, 'CREATE TABLE things ()');
    const lock = { text: 'LOCK TABLE things' };
    await transaction(pooled.pool, async (tx) => {
      await tx.query(lock);
      await expect(query(pooled.pool, lock, signal)).rejects.toSatisfy(isTimeout);
    });
    await expect(query(pooled.pool, asleep, signal)).rejects.toSatisfy(isTimeout);
  });

  test('readiness follows the pooler', async () => {
    await using pooled = await openPooled(kind);
    const readiness = openReadiness(pooled.pooledUrl, 'test');
    await readiness.check();
    await pooled.pooler[Symbol.asyncDispose]();
    await expect(readiness.check()).rejects.toThrow();
    await readiness.close();
  });

  test('migrations need a direct URL, and their error says so', async () => {
    await using pooled = await openPooled(kind);
    await using folder = await mkdtempDisposable(join(tmpdir(), 'acme-migrations-'));
    await writeFile(join(folder.path, '0001_things.sql'), 'CREATE TABLE things ()');
    const migrations = pathToFileURL(folder.path);
    await expect(migrate(pooled.pooledUrl, migrations)).rejects.toThrow(
      'is behind a pooler, which keeps no sessions: set DATABASE_DIRECT_URL to the URL of PostgreSQL itself',
    );
    expect(await migrate(pooled.url, migrations)).toEqual(['0001_things.sql']);
  });
});
