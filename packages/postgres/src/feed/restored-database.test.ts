import { describe, expect, test } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { openFeedDatabase, type Thing } from '../testing/feed-database.ts';
import { change, watcher } from '../testing/feed-watcher.ts';
import type { ChangeFeed } from './change-feed.ts';
import { PositionAheadError } from './position.ts';

describe('a database that was restored to an older state', () => {
  /** Loses the events after a number, like a failover to a standby that lags behind. */
  const loseAfter = async (pool: Pool, seq: number) => {
    await pool.query('DELETE FROM thing_events WHERE seq > $1', [seq]);
    await pool.query(`SELECT setval(pg_get_serial_sequence('thing_events', 'seq'), $1)`, [seq]);
  };

  /** Makes three events, and returns the position of the last. */
  const threeEvents = async (pool: Pool, feed: ChangeFeed<Thing>) => {
    await change(pool, 'A', 'A', 'A');
    await using watch = watcher(feed, { after: 2n });
    await watch.next();
    return (await watch.next())?.position ?? expect.unreachable();
  };

  test('a position whose event it does not hold is rejected', async () => {
    await using database = await openFeedDatabase();
    await using before = database.openFeed();
    const position = await threeEvents(database.pool, before);
    await loseAfter(database.pool, 1);
    await using feed = database.openFeed();
    await using ahead = watcher(feed, { after: position });
    await expect(ahead.next()).rejects.toThrow(PositionAheadError);
    // As many new events, with the same numbers.
    await change(database.pool, 'B', 'B', 'B');
    await using passed = watcher(feed, { after: position });
    await expect(passed.next()).rejects.toThrow(PositionAheadError);
    await using kept = watcher(feed, { after: 1n });
    expect(await kept.nextChange()).toBe('B1');
  });

  test('a position whose event it holds is valid', async () => {
    await using database = await openFeedDatabase();
    await using before = database.openFeed();
    const position = await threeEvents(database.pool, before);
    await change(database.pool, 'A', 'A');
    await loseAfter(database.pool, 3);
    await using feed = database.openFeed();
    await using watch = watcher(feed, { after: position });
    await watch.next();
    await change(database.pool, 'B');
    feed.notify();
    expect(await watch.nextChange()).toBe('B1');
  });

  test('an open watch ends, and a new one sees later changes', async () => {
    await using database = await openFeedDatabase();
    await using feed = database.openFeed();
    await using open = watcher(feed);
    await open.next();
    await change(database.pool, 'A', 'A', 'A');
    feed.notify();
    expect(await open.nextChange()).toBe('A1');
    expect([await open.nextChange(), await open.nextChange()]).toEqual(['A2', 'A3']);
    const ended = expect(open.nextChange()).rejects.toThrow(PositionAheadError);
    await loseAfter(database.pool, 1);
    await change(database.pool, 'B', 'B', 'B', 'B');
    feed.notify();
    await ended;
    await using anew = watcher(feed);
    await anew.next();
    await change(database.pool, 'C');
    feed.notify();
    // It also sees those before it that the feed had not read.
    const seen = [];
    while (seen.at(-1) !== 'C1') seen.push(await anew.nextChange());
    expect(['B1', 'B2', 'B3', 'B4', 'C1'].slice(-seen.length)).toEqual(seen);
  });

  test('a watch that has not joined the live feed ends too', async () => {
    await using database = await openFeedDatabase();
    await change(database.pool, 'A', 'A', 'A');
    await using feed = database.openFeed();
    await using joined = watcher(feed);
    await using stalled = watcher(feed);
    await joined.next();
    await stalled.next();
    const ended = expect(joined.nextChange()).rejects.toThrow(PositionAheadError);
    await loseAfter(database.pool, 1);
    await change(database.pool, 'B');
    feed.notify();
    await ended;
    await expect(stalled.nextChange()).rejects.toThrow(PositionAheadError);
  });
});
