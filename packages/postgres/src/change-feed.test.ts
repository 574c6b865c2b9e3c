import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ChangeFeed } from './change-feed.ts';
import { type Place, PlaceAheadError } from './change-feed-place.ts';
import { prune } from './change-feed-pruning.ts';
import { readMissed, readPage } from './change-feed-source.ts';
import { bufferLimits } from './change-feed-subscription.ts';
import type { Pool } from './pool.ts';
import { changeThing, openFeedDatabase, type Thing, thingSource } from './testing/feed-database.ts';

interface Watcher {
  /** A place, or the number of an event. */
  readonly after?: Place | bigint;
  readonly keys?: readonly string[];
  readonly caller?: string;
}

/** The place of an event of unknown time, as tokens of older releases have it. */
function seqOnly(after: Place | bigint | undefined): Place | undefined {
  return typeof after === 'bigint' ? { seq: after, timeUs: undefined } : after;
}

/** A watcher whose items are asked for one by one. */
function watcher(feed: ChangeFeed<Thing>, { after, keys, caller = 'caller' }: Watcher = {}) {
  const stop = new AbortController();
  const items = feed.watch(
    { keys: keys && new Set(keys), after: seqOnly(after), caller, signal: stop.signal },
    (event, place) => ({ seq: place.seq, place, event }),
  );
  const standing = Promise.withResolvers<void>();
  const next = async () => {
    const { value } = await items.next();
    standing.resolve();
    return value;
  };
  return {
    next,
    /** Resolves with the first item. */
    standing: standing.promise,
    /** The next that is no heartbeat: `A2` for A's second version. */
    nextChange: async () => {
      for (;;) {
        const item = await next();
        if (item?.event) return `${item.event.key}${item.event.version}`;
      }
    },
    stop: () => stop.abort(),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await items.return().catch(() => {});
    },
  };
}

/** A transaction that is under way until it is told to end. */
async function begin(pool: Pool) {
  const client = await pool.connect();
  await client.query('BEGIN');
  const end = async (how: 'COMMIT' | 'ROLLBACK') => {
    await client.query(how);
    client.release();
  };
  return {
    /** So that it has an id, before it does anything else. */
    takeId: () => client.query('SELECT pg_current_xact_id()'),
    change: (key: string) => client.query(changeThing, [key]),
    commit: () => end('COMMIT'),
    rollback: () => end('ROLLBACK'),
  };
}

/** Changes that are made one after the other. */
async function change(pool: Pool, ...keys: string[]) {
  for (const key of keys) await pool.query(changeThing, [key]);
}

/** Long enough for several reads: what has not come by then is being held back. */
const severalReadsMs = 150;

describe('the order of a feed', () => {
  test('ensure an event that commits late is neither skipped nor told after those that depend on it', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using watch = watcher(feed);
    await watch.next();
    const slow = await begin(database.pool);
    await slow.change('slow');
    await change(database.pool, 'quick');
    feed.changed();
    const first = watch.nextChange();
    expect(await Promise.race([first, sleep(severalReadsMs, 'nothing')])).toBe('nothing');
    await slow.commit();
    expect([await first, await watch.nextChange()]).toEqual(['slow1', 'quick1']);
  });

  test('ensure versions of a thing stay in order when an older transaction waited for its lock', async () => {
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
    // Below the horizon of `holder` is `late`, with A3, and not `early`, with A2.
    await holder.commit();
    const told = [await watch.nextChange(), await watch.nextChange(), await watch.nextChange()];
    expect(told).toEqual(['other1', 'A2', 'A3']);
  });

  test('ensure a gap is waited for although its writer is younger than all that has ended', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using watch = watcher(feed);
    await watch.next();
    const [older, younger] = [await begin(database.pool), await begin(database.pool)];
    await older.takeId();
    await younger.change('younger');
    await older.change('older');
    await older.commit();
    feed.changed();
    const first = watch.nextChange();
    expect(await Promise.race([first, sleep(severalReadsMs, 'nothing')])).toBe('nothing');
    await younger.commit();
    expect([await first, await watch.nextChange()]).toEqual(['younger1', 'older1']);
  });

  test('ensure a number that is never used is passed, whatever else is running', async () => {
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

  test('ensure a feed begins after what was under way when its first watcher came', async () => {
    await using database = await openFeedDatabase();
    const [under, way] = [await begin(database.pool), await begin(database.pool)];
    await under.change('under');
    await way.change('way');
    await way.commit();
    await using feed = database.openFeed();
    await using watch = watcher(feed);
    const standing = watch.next();
    expect(await Promise.race([standing, sleep(severalReadsMs, 'nothing')])).toBe('nothing');
    await under.commit();
    await standing;
    await change(database.pool, 'A');
    expect(await watch.nextChange()).toBe('A1');
  });
});

describe('a watch', () => {
  test('tells what happened since its place, pages of it, and goes on without a gap', async () => {
    await using database = await openFeedDatabase();
    const many = 1200;
    await database.pool.query(
      `INSERT INTO thing_events (key, version, event_time) SELECT 'A', n, now() FROM generate_series(1, ${many}) n`,
    );
    await using feed = database.openFeed();
    await using watch = watcher(feed, { after: 10n });
    for (let version = 11; version <= many; version++) expect(await watch.nextChange()).toBe(`A${version}`);
    await change(database.pool, 'B');
    feed.changed();
    expect(await watch.nextChange()).toBe('B1');
  });

  test('ensure a place ahead of this process is waited for and nothing before it told', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using first = watcher(feed);
    await first.next();
    // Not announced: this process reads them within a second.
    await change(database.pool, 'A', 'B');
    await using watch = watcher(feed, { after: 2n });
    expect(await watch.next()).toMatchObject({ seq: 2n, event: undefined });
    await change(database.pool, 'C');
    feed.changed();
    expect(await watch.nextChange()).toBe('C1');
  });

  test('tells only of its keys, and heartbeats say how far it has come', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed({ heartbeatMs: 50 });
    await using watch = watcher(feed, { keys: ['B'] });
    expect(await watch.next()).toMatchObject({ seq: 0n, event: undefined });
    await change(database.pool, 'A', 'A', 'B');
    expect(await watch.nextChange()).toBe('B1');
    await change(database.pool, 'A', 'A');
    await expect.poll(watch.next).toMatchObject({ seq: 5n, event: undefined });
  });

  test('hears of a change that another process announces, and within a second of one that nobody does', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using other = database.openFeed();
    await using watch = watcher(feed);
    await watch.next();
    await change(database.pool, 'A');
    other.changed();
    expect(await watch.nextChange()).toBe('A1');
    await change(database.pool, 'A');
    expect(await watch.nextChange()).toBe('A2');
  });

  test('ends with an error when more waits for it than its buffer holds', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using slow = watcher(feed);
    await using quick = watcher(feed);
    const both = Promise.all([slow.nextChange(), quick.nextChange()]);
    // Until they watch, they read for themselves.
    await quick.standing;
    await slow.standing;
    await change(database.pool, 'A');
    expect(await both).toEqual(['A1', 'A1']);
    const count = bufferLimits.events + 1;
    await database.pool.query(
      `INSERT INTO thing_events (key, version, event_time) SELECT 'B', n, now() FROM generate_series(1, ${count}) n`,
    );
    for (let version = 1; version <= count; version++) expect(await quick.nextChange()).toBe(`B${version}`);
    await expect(slow.nextChange()).rejects.toThrow('more has changed than the watcher reads');
    await using resumed = watcher(feed, { after: 1n });
    expect(await resumed.nextChange()).toBe('B1');
  });

  test('ends at once when its signal is aborted', async () => {
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

describe('catching up', () => {
  /** Events of `others`, except for some places that are of `mine`. */
  const insertEvents = (pool: Pool, count: number, mine: readonly number[]) =>
    pool.query(
      `INSERT INTO thing_events (key, version, event_time)
       SELECT CASE WHEN n = ANY ($2::int[]) THEN 'mine' ELSE 'others' END, n, now() FROM generate_series(1, $1::int) n`,
      [count, mine],
    );

  test('a watch finds its events among those of others', async () => {
    await using database = await openFeedDatabase();
    await insertEvents(database.pool, 45_000, [1, 2, 20_000, 20_001, 44_800, 45_000]);
    await using feed = database.openFeed();
    await using watch = watcher(feed, { after: 1n, keys: ['mine', 'missing'] });
    for (const version of [2, 20_000, 20_001, 44_800, 45_000])
      expect(await watch.nextChange()).toBe(`mine${version}`);
    await change(database.pool, 'missing');
    feed.changed();
    expect(await watch.nextChange()).toBe('missing1');
  });

  test('a read takes no more bytes than a page, and at least one event', async () => {
    await using database = await openFeedDatabase();
    const key = 'x'.repeat(10_000);
    await database.pool.query(
      `INSERT INTO thing_events (key, version, event_time) SELECT $1, n, now() FROM generate_series(1, 100) n`,
      [key],
    );
    const known = { seq: 0n, timeUs: undefined };
    const missed = { known, after: 0n, upTo: 100n };
    for (const keys of [undefined, new Set([key])]) {
      const { events, end } = await readMissed(database.pool, thingSource, { ...missed, keys });
      expect([events.length, end]).toEqual([1, 1n]);
    }
    const live = await readPage(database.pool, thingSource, known);
    expect([live.events.length, live.isCut]).toEqual([25, true]);
    const last = await readMissed(database.pool, thingSource, { ...missed, after: 99n, keys: undefined });
    expect([last.events.length, last.end]).toEqual([1, 100n]);
    await using feed = database.openFeed();
    await using watch = watcher(feed, { after: 1n });
    for (let version = 2; version <= 100; version++)
      expect(await watch.nextChange()).toBe(`${key}${version}`);
  });
});

describe('a database that was restored to an older state', () => {
  /** Loses the events after a number, as a failover to a standby that lags behind does. */
  const loseAfter = async (pool: Pool, seq: number) => {
    await pool.query('DELETE FROM thing_events WHERE seq > $1', [seq]);
    await pool.query(`SELECT setval(pg_get_serial_sequence('thing_events', 'seq'), $1)`, [seq]);
  };

  /** Three events, and the place of the last. */
  const threeEvents = async (pool: Pool, feed: ChangeFeed<Thing>) => {
    await change(pool, 'A', 'A', 'A');
    await using watch = watcher(feed, { after: 2n });
    await watch.next();
    return (await watch.next())?.place ?? expect.unreachable();
  };

  test('a place that it does not hold is refused', async () => {
    await using database = await openFeedDatabase();
    await using before = database.openFeed();
    const place = await threeEvents(database.pool, before);
    await loseAfter(database.pool, 1);
    await using feed = database.openFeed();
    await using ahead = watcher(feed, { after: place });
    await expect(ahead.next()).rejects.toThrow(PlaceAheadError);
    // As many again, under the same numbers.
    await change(database.pool, 'B', 'B', 'B');
    await using passed = watcher(feed, { after: place });
    await expect(passed.next()).rejects.toThrow(PlaceAheadError);
    await using kept = watcher(feed, { after: 1n });
    expect(await kept.nextChange()).toBe('B1');
  });

  test('a place that it holds is good', async () => {
    await using database = await openFeedDatabase();
    await using before = database.openFeed();
    const place = await threeEvents(database.pool, before);
    await change(database.pool, 'A', 'A');
    await loseAfter(database.pool, 3);
    await using feed = database.openFeed();
    await using watch = watcher(feed, { after: place });
    await watch.next();
    await change(database.pool, 'B');
    feed.changed();
    expect(await watch.nextChange()).toBe('B1');
  });

  test('an open watch ends, and the next one sees what changes from then on', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using open = watcher(feed);
    await open.next();
    await change(database.pool, 'A', 'A', 'A');
    feed.changed();
    expect(await open.nextChange()).toBe('A1');
    expect([await open.nextChange(), await open.nextChange()]).toEqual(['A2', 'A3']);
    const next = open.nextChange();
    await loseAfter(database.pool, 1);
    await change(database.pool, 'B', 'B', 'B', 'B');
    feed.changed();
    await expect(next).rejects.toThrow(PlaceAheadError);
    await using anew = watcher(feed);
    await anew.next();
    await change(database.pool, 'C');
    feed.changed();
    expect(await anew.nextChange()).toBe('C1');
  });

  test('a watch that has not joined the live feed yet ends too', async () => {
    await using database = await openFeedDatabase();
    await change(database.pool, 'A', 'A', 'A');
    await using feed = database.openFeed();
    await using joined = watcher(feed);
    await using stalled = watcher(feed);
    await joined.next();
    await stalled.next();
    const next = joined.nextChange();
    await loseAfter(database.pool, 1);
    await change(database.pool, 'B');
    feed.changed();
    await expect(next).rejects.toThrow(PlaceAheadError);
    await expect(stalled.nextChange()).rejects.toThrow(PlaceAheadError);
  });
});

describe('pruning', () => {
  test('removes what is old, up to the first that is not, and says so to who comes back from before', async () => {
    await using database = await openFeedDatabase();
    await database.pool.query(
      `INSERT INTO thing_events (key, version, event_time)
       SELECT 'A', n, now() - (CASE n WHEN 4 THEN 1 ELSE 10 END) * interval '1 day' FROM generate_series(1, 6) n`,
    );
    const weekAgo = new Date(Date.now() - 7 * 24 * 60 * 60 * 1000);
    expect(await prune(database.pool, 'thing_events', weekAgo)).toBe(3);
    expect(await prune(database.pool, 'thing_events', weekAgo)).toBe(0);
    await using feed = database.openFeed();
    await using expired = watcher(feed, { after: 2n });
    await expect(expired.next()).rejects.toThrow('pruned');
    await using kept = watcher(feed, { after: 3n });
    expect(await kept.nextChange()).toBe('A4');
  });

  test('ensure a feed whose events are all pruned goes on from where it was', async () => {
    await using database = await openFeedDatabase();
    await change(database.pool, 'A', 'A');
    await using feed = database.openFeed({ retentionMs: -1000 });
    const left = async () => (await database.pool.query('SELECT FROM thing_events')).rowCount;
    await expect.poll(left).toBe(0);
    await using watch = watcher(feed);
    expect(await watch.next()).toMatchObject({ seq: 2n, event: undefined });
    await change(database.pool, 'A');
    expect(await watch.nextChange()).toBe('A3');
  });
});
