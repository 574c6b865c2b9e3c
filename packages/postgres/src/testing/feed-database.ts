import { type ChangeFeed, type ChangeFeedOptions, openChangeFeed } from '../feed/change-feed.ts';
import type { FeedSource } from '../feed/feed-source.ts';
import type { Pool } from '../pool/pool.ts';
import { openTestPool } from './open-test-pool.ts';
import { createTestDatabase } from './test-database.ts';

/** A change of `key` to `version`. */
export interface Thing {
  readonly key: string;
  readonly version: bigint;
}

export const thingSource: FeedSource<Thing & Record<string, unknown>, Thing> = {
  table: 'thing_events',
  keyColumn: 'key',
  join: '',
  sizeBytes: '100 + octet_length(key)',
  columns: 'event.key, event.version',
  fromRow: ({ key, version, size_bytes }) => ({ key, event: { key, version }, sizeBytes: size_bytes }),
};

/** A database with versioned `things` and a feed of their changes. */
export interface FeedDatabase extends AsyncDisposable {
  readonly pool: Pool;
  openFeed(
    options?: Partial<Pick<ChangeFeedOptions<never, Thing>, 'heartbeatMs' | 'retentionMs' | 'onError'>>,
  ): ChangeFeed<Thing> & AsyncDisposable;
}

/** Changes a thing and writes its event in one statement, as the services do. */
export const changeThing = `
  WITH changed AS (
    INSERT INTO things (key) VALUES ($1)
    ON CONFLICT (key) DO UPDATE SET version = things.version + 1
    RETURNING key, version
  )
  INSERT INTO thing_events (key, version, event_time) SELECT key, version, now() FROM changed RETURNING seq`;

/** @param url An empty database. Default: a new one of the run's server. */
export async function openFeedDatabase(url?: string): Promise<FeedDatabase> {
  await using opened = new AsyncDisposableStack();
  const databaseUrl = url ?? opened.use(await createTestDatabase()).url;
  const pool = opened.use(openTestPool({ url: databaseUrl, max: 40 }));
  await pool.query(`
    CREATE TABLE things (key text PRIMARY KEY, version bigint NOT NULL DEFAULT 1);
    CREATE TABLE thing_events (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                               key text NOT NULL, version bigint NOT NULL, event_time timestamptz NOT NULL);
    CREATE INDEX thing_events_by_key ON thing_events (key, seq);
    CREATE TABLE change_feeds (name text PRIMARY KEY, pruned_seq bigint NOT NULL DEFAULT 0);
    INSERT INTO change_feeds (name) VALUES ('thing_events')`);
  const kept = opened.move();
  return {
    pool,
    openFeed: (options = {}) => {
      const feed = openChangeFeed({
        url: databaseUrl,
        directUrl: databaseUrl,
        applicationName: 'test',
        source: thingSource,
        onError: () => {},
        ...options,
      });
      return { ...feed, [Symbol.asyncDispose]: feed.close };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
