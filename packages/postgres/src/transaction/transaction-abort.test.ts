import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { backendOf, countOf, increment, useCounters } from '../testing/counters.ts';
import { transaction } from './transaction.ts';

const counters = useCounters();

const runningSleeps = async () =>
  (
    await counters.admin.query(
      `SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)' AND state = 'active'`,
    )
  ).rowCount;

test('an abort cancels the statement on the server, and the connection is reused', async () => {
  await using pool = counters.poolOf(1);
  const abort = new AbortController();
  let pid = 0;
  const slow = transaction(
    pool,
    async (tx) => {
      pid = await backendOf(tx);
      await increment(tx, 'a');
      await tx.query('SELECT pg_sleep(30)');
    },
    { signal: abort.signal },
  );
  slow.catch(() => {});
  await expect.poll(runningSleeps).toBe(1);
  const reason = new Error('deadline');
  abort.abort(reason);
  await expect(slow).rejects.toBe(reason);
  // A connection whose statement is not cancelled within a second is closed.
  expect([await runningSleeps(), await countOf(counters.admin, 'a'), await backendOf(pool)]).toEqual([
    0,
    0,
    pid,
  ]);
});

test('an abort between two statements rolls back and sends no more statements', async () => {
  await using pool = counters.poolOf(1);
  await counters.admin.query('CREATE SEQUENCE statements_sent');
  const abort = new AbortController();
  const reason = new Error('deadline');
  const stopped = transaction(
    pool,
    async (tx) => {
      await increment(tx, 'a');
      abort.abort(reason);
      await tx.query(`SELECT nextval('statements_sent')`);
    },
    { signal: abort.signal },
  );
  await expect(stopped).rejects.toBe(reason);
  expect(await countOf(pool, 'a')).toBe(0);
  // A rollback does not undo nextval.
  expect((await pool.query('SELECT is_called FROM statements_sent')).rows).toEqual([{ is_called: false }]);
});

test('an abort just before the commit rolls back', async () => {
  await using pool = counters.poolOf(1);
  const abort = new AbortController();
  const stopped = transaction(
    pool,
    async (tx) => {
      await increment(tx, 'a');
      abort.abort(new Error('deadline'));
    },
    { signal: abort.signal },
  );
  await expect(stopped).rejects.toThrow('deadline');
  expect(await countOf(pool, 'a')).toBe(0);
});

test('an abort ends the wait for a connection, which returns to the pool', async () => {
  await using pool = counters.poolOf(1);
  const taken = await pool.connect();
  const abort = new AbortController();
  const waiting = transaction(pool, async (tx) => backendOf(tx), { signal: abort.signal });
  abort.abort(new Error('deadline'));
  await expect(waiting).rejects.toThrow('deadline');
  taken.release();
  expect(await transaction(pool, async (tx) => countOf(tx, 'a'))).toBe(0);
});

test('an abort ends a transaction that waits for something other than the database', async () => {
  await using pool = counters.poolOf(1);
  const signal = AbortSignal.timeout(50);
  const stuck = transaction(pool, () => new Promise(() => {}), { signal });
  await expect(stuck).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(await countOf(pool, 'a')).toBe(0);
});

test('an abort during COMMIT cancels nothing, and the outcome is returned', async () => {
  await using pool = counters.poolOf(1);
  await counters.admin.query(`
    CREATE TABLE slow_commits (id int);
    CREATE FUNCTION sleep_at_commit() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_advisory_xact_lock(1); PERFORM pg_sleep(0.3); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow_commits DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION sleep_at_commit()`);
  await using holder = counters.poolOf(1);
  await holder.query('SELECT pg_advisory_lock(1)');
  const abort = new AbortController();
  const committed = transaction(pool, async (tx) => tx.query('INSERT INTO slow_commits VALUES (1)'), {
    signal: abort.signal,
  });
  const commits = () =>
    counters.admin.query(
      `SELECT FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active' AND datname = current_database()`,
    );
  await expect.poll(async () => (await commits()).rowCount).toBe(1);
  abort.abort(new Error('deadline'));
  await holder.query('SELECT pg_advisory_unlock(1)');
  await committed;
  expect((await counters.admin.query('SELECT FROM slow_commits')).rowCount).toBe(1);
});

test('a connection whose server does not react to the cancel is closed', async () => {
  await using pool = counters.poolOf(1);
  const abort = new AbortController();
  const reason = new Error('deadline');
  let paused = 0;
  const stuck = transaction(
    pool,
    async (tx) => {
      paused = await backendOf(tx);
      process.kill(paused, 'SIGSTOP');
      const answer = increment(tx, 'a');
      abort.abort(reason);
      await answer;
    },
    { signal: abort.signal },
  );
  const startedAt = performance.now();
  await expect(stuck).rejects.toBe(reason);
  expect(performance.now() - startedAt).toBeLessThan(1_800);
  const next = await backendOf(pool);
  process.kill(paused, 'SIGCONT');
  expect(next).not.toBe(paused);
});

test('no listener stays on the signal, however the transaction ends', async () => {
  await using pool = counters.poolOf(1);
  const abort = new AbortController();
  const options = { signal: abort.signal };
  await transaction(pool, async (tx) => increment(tx, 'a'), options);
  await transaction(pool, async (tx) => tx.query('SELECT FROM nowhere'), options).catch(() => {});
  expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  abort.abort();
  await transaction(pool, async (tx) => increment(tx, 'a'), options).catch(() => {});
  expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
});
