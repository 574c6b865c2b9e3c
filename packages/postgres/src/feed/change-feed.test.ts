import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { changeThing, openFeedDatabase } from '../testing/feed-database.ts';
import { change, watcher } from '../testing/feed-watcher.ts';
import { prune } from './pruning.ts';
import { bufferLimits } from './subscription.ts';

/** Begins a transaction that stays open until the test ends it. */
async function begin(pool: Pool) {
  const client = await pool.connect();
  await client.query('BEGIN');
  const end = async (how: 'COMMIT' | 'ROLLBACK') => {
    await client.query(how);
    client.release();
  };
  return {
    /** Assigns its id before it does anything else. */
    takeId: () => client.query('SELECT pg_current_xact_id()'),
    change: (key: string) => client.query(changeThing, [key]),
    commit: () => end('COMMIT'),
    rollback: () => end('ROLLBACK'),
  };
}

/** Long enough for several reads: an event that has not arrived by then is held back. */
const severalReadsMs = 150;

describe('the order of a feed', () => {
  test('an event that commits late is neither skipped nor delivered after events that depend on it', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using watch = watcher(feed);
    await watch.next();
    const slow = await begin(database.pool);
    await slow.change('slow');
    await change(database.pool, 'quick');
    feed.notify();
    const first = watch.nextChange();
    expect(await Promise.race([first, sleep(severalReadsMs, 'nothing')])).toBe('nothing');
    await slow.commit();
    expect([await first, await watch.nextChange()]).toEqual(['slow1', 'quick1']);
  });

  test('versions of a thing stay in order when an older transaction waited for its lock', async () => {
    await using database = await openFeedDatabase();
    await change(database.pool, 'A');
    await using feed = database.openFeed();
    await using watch = watcher(feed);
    await watch.next();
    // By their ids: `late` is older than `holder`, which is older than `early`.
    const [late, holder, early] = [
      await begin(database.pool),
      await begin(database.pool),
      await begin(database.pool),
    ];
    for (const each of [late, holder, early]) await each.takeId();
    await holder.change('other');
    await early.change('A');
    const waiting = late.change('A');
    await early.commit();
    await waiting;
    await late.commit();
    // `late`, with A3, is older than `holder`; `early`, with A2, is younger.
    await holder.commit();
    const delivered = [await watch.nextChange(), await watch.nextChange(), await watch.nextChange()];
    expect(delivered).toEqual(['other1', 'A2', 'A3']);
  });

  test('the reader waits at a gap although its writer is younger than the ended transactions', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using watch = watcher(feed);
    await watch.next();
    const [older, younger] = [await begin(database.pool), await begin(database.pool)];
    await older.takeId();
    await younger.change('younger');
    await older.change('older');
    await older.commit();
    feed.notify();
    const first = watch.nextChange();
    expect(await Promise.race([first, sleep(severalReadsMs, 'nothing')])).toBe('nothing');
    await younger.commit();
    expect([await first, await watch.nextChange()]).toEqual(['younger1', 'older1']);
  });

  test('the reader skips a number that is never used while other transactions run', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using watch = watcher(feed);
    await watch.next();
    const unrelated = await begin(database.pool);
    await unrelated.takeId();
    const failing = await begin(database.pool);
    await failing.change('never');
    await failing.rollback();
    await change(database.pool, 'A');
    expect(await watch.nextChange()).toBe('A1');
    await unrelated.rollback();
  });

  test('a feed begins after the transactions that were open when its first watcher came', async () => {
    await using database = await openFeedDatabase();
    const [under, way] = [await begin(database.pool), await begin(database.pool)];
    await under.change('under');
    await way.change('way');
    await way.commit();
    await using feed = database.openFeed();
    await using watch = watcher(feed);
    const opened = watch.next();
    expect(await Promise.race([opened, sleep(severalReadsMs, 'nothing')])).toBe('nothing');
    await under.commit();
    await opened;
    await change(database.pool, 'A');
    expect(await watch.nextChange()).toBe('A1');
  });
});

describe('a watch', () => {
  test('yields pages of missed events, and continues with live events without a gap', async () => {
    await using database = await openFeedDatabase();
    const many = 1200;
    await database.pool.query(
      `INSERT INTO thing_events (key, version, event_time) SELECT 'A', n, now() FROM generate_series(1, ${many}) n`,
    );
    await using feed = database.openFeed();
    await using watch = watcher(feed, { after: 10n });
    for (let version = 11; version <= many; version++) expect(await watch.nextChange()).toBe(`A${version}`);
    await change(database.pool, 'B');
    feed.notify();
    expect(await watch.nextChange()).toBe('B1');
  });

  test('waits at a position ahead of this process and yields no event before it', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using first = watcher(feed);
    await first.next();
    // Without a notification this process reads them within a second.
    await change(database.pool, 'A', 'B');
    await using watch = watcher(feed, { after: 2n });
    expect(await watch.next()).toMatchObject({ seq: 2n, event: undefined });
    await change(database.pool, 'C');
    feed.notify();
    expect(await watch.nextChange()).toBe('C1');
  });

  test('yields only events of its keys, and its heartbeats hold its position', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed({ heartbeatMs: 50 });
    await using watch = watcher(feed, { keys: ['B'] });
    expect(await watch.next()).toMatchObject({ seq: 0n, event: undefined });
    await change(database.pool, 'A', 'A', 'B');
    expect(await watch.nextChange()).toBe('B1');
    await change(database.pool, 'A', 'A');
    await expect.poll(watch.next).toMatchObject({ seq: 5n, event: undefined });
  });

  test('yields a change at the notification of another process, and within a second without one', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using other = database.openFeed();
    await using watch = watcher(feed);
    await watch.next();
    await change(database.pool, 'A');
    other.notify();
    expect(await watch.nextChange()).toBe('A1');
    await change(database.pool, 'A');
    expect(await watch.nextChange()).toBe('A2');
  });

  test('ends with an error when its buffer is full', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using slow = watcher(feed);
    await using quick = watcher(feed);
    const both = Promise.all([slow.nextChange(), quick.nextChange()]);
    // Wait until both have joined the live feed.
    await quick.opened;
    await slow.opened;
    await change(database.pool, 'A');
    expect(await both).toEqual(['A1', 'A1']);
    const count = bufferLimits.events + 1;
    await database.pool.query(
      `INSERT INTO thing_events (key, version, event_time) SELECT 'B', n, now() FROM generate_series(1, ${count}) n`,
    );
    for (let version = 1; version <= count; version++) expect(await quick.nextChange()).toBe(`B${version}`);
    await expect(slow.nextChange()).rejects.toThrow('the watcher reads more slowly than events arrive');
    await using resumed = watcher(feed, { after: 1n });
    expect(await resumed.nextChange()).toBe('B1');
  });

  test('ends at once on abort', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using watch = watcher(feed);
    await watch.next();
    const next = watch.next();
    await nextTurn();
    watch.stop();
    await expect(next).rejects.toThrow('aborted');
  });

  test('survives the loss of every connection to the database', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using watch = watcher(feed);
    await watch.next();
    await database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await change(database.pool, 'A');
    expect(await watch.nextChange()).toBe('A1');
  });
});

describe('pruning', () => {
  test('removes the oldest events up to the first younger one, and rejects positions before it', async () => {
    await using database = await openFeedDatabase();
    await database.pool.query(
      `INSERT INTO thing_events (key, version, event_time)
       SELECT 'A', n, now() - (CASE n WHEN 4 THEN 1 ELSE 10 END) * interval '1 day' FROM generate_series(1, 6) n`,
    );
    const weekMs = 7 * 24 * 60 * 60 * 1000;
    expect(await prune(database.pool, 'thing_events', weekMs)).toBe(3);
    expect(await prune(database.pool, 'thing_events', weekMs)).toBe(0);
    await using feed = database.openFeed();
    await using expired = watcher(feed, { after: 2n });
    await expect(expired.next()).rejects.toThrow('pruned');
    await using kept = watcher(feed, { after: 3n });
    expect(await kept.nextChange()).toBe('A4');
  });

  test('uses the clock of the database, not that of the replica', async () => {
    await using database = await openFeedDatabase();
    await change(database.pool, 'A');
    vi.useFakeTimers({ now: Date.now() + 365 * 24 * 60 * 60 * 1000, toFake: ['Date'] });
    try {
      expect(await prune(database.pool, 'thing_events', 60_000)).toBe(0);
      vi.setSystemTime(0);
      expect(await prune(database.pool, 'thing_events', -60_000)).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test('keeps the position of a feed whose events are all pruned', async () => {
    await using database = await openFeedDatabase();
    await change(database.pool, 'A', 'A');
    await using feed = database.openFeed({ retentionMs: -1000 });
    const remaining = async () => (await database.pool.query('SELECT FROM thing_events')).rowCount;
    await expect.poll(remaining).toBe(0);
    await using watch = watcher(feed);
    expect(await watch.next()).toMatchObject({ seq: 2n, event: undefined });
    await change(database.pool, 'A');
    expect(await watch.nextChange()).toBe('A3');
  });
});
