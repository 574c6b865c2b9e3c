import { describe, expect, test } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { openFeedDatabase, thingSource } from '../testing/feed-database.ts';
import { change, watcher } from '../testing/feed-watcher.ts';
import { readMissed, readPage } from './feed-queries.ts';

describe('catching up', () => {
  /** Inserts events of the key `others`, except for the numbers in `mine`, whose key is `mine`. */
  const insertEvents = (pool: Pool, count: number, mine: readonly number[]) =>
    pool.query(
      `INSERT INTO thing_events (key, version, event_time)
       SELECT CASE WHEN n = ANY ($2::int[]) THEN 'mine' ELSE 'others' END, n, now() FROM generate_series(1, $1::int) n`,
      [count, mine],
    );

  test('a watch finds the events of its keys among those of other keys', async () => {
    await using database = await openFeedDatabase();
    await insertEvents(database.pool, 45_000, [1, 2, 20_000, 20_001, 44_800, 45_000]);
    await using feed = database.openFeed();
    await using watch = watcher(feed, { after: 1n, keys: ['mine', 'missing'] });
    for (const version of [2, 20_000, 20_001, 44_800, 45_000])
      expect(await watch.nextChange()).toBe(`mine${version}`);
    await change(database.pool, 'missing');
    feed.notify();
    expect(await watch.nextChange()).toBe('missing1');
  });

  test('a page ends when it is full by bytes, and has at least one event', async () => {
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
    expect([live.items.length, live.hasMore]).toEqual([25, true]);
    const last = await readMissed(database.pool, thingSource, { ...missed, after: 99n, keys: undefined });
    expect([last.events.length, last.end]).toEqual([1, 100n]);
    await using feed = database.openFeed();
    await using watch = watcher(feed, { after: 1n });
    for (let version = 2; version <= 100; version++)
      expect(await watch.nextChange()).toBe(`${key}${version}`);
  });
});
