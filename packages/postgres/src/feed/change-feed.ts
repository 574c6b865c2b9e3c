import type pg from 'pg';
import { feedConnections } from '../pool/connections.ts';
import { openPool } from '../pool/pool.ts';
import { preferIndexScans } from '../pool/prefer-index-scans.ts';
import { startSweeper } from '../retention/sweeper.ts';
import { startFeedReader } from './feed-reader.ts';
import type { FeedSource } from './feed-source.ts';
import { startNotifications } from './notifications.ts';
import { prune } from './pruning.ts';
import { createSubscribers } from './subscribers.ts';
import { createWatch, type Watch } from './watch.ts';

export interface ChangeFeedOptions<Row extends pg.QueryResultRow, Event> {
  readonly url: string;
  /** URL of PostgreSQL itself, without a pooler, for the connection that listens. */
  readonly directUrl: string;
  readonly applicationName: string;
  readonly source: FeedSource<Row, Event>;
  /** Age at which events are pruned. Default: one week. */
  readonly retentionMs?: number;
  /** Maximum time between two items of a watch. Default: 15 s. */
  readonly heartbeatMs?: number;
  /** Called for a failure that is retried. */
  readonly onError: (error: unknown) => void;
}

export interface ChangeFeed<Event> {
  readonly watch: Watch<Event>;
  /**
   * Notifies the watchers of all replicas of new events. Call it after the commit of a transaction that wrote events. Without
   * a call, watchers receive the events within a second.
   */
  notify(): void;
  close(): Promise<void>;
}

const weekMs = 7 * 24 * 60 * 60 * 1000;

/** Opens the feed of a table of events. One reader serves all watchers of this process. */
export function openChangeFeed<Row extends pg.QueryResultRow, Event>(
  options: ChangeFeedOptions<Row, Event>,
): ChangeFeed<Event> {
  const {
    url,
    directUrl,
    applicationName,
    source,
    retentionMs = weekMs,
    heartbeatMs = 15_000,
    onError,
  } = options;
  // Separate pools, so that watchers never take the connections of calls. One connection reads, one notifies or prunes,
  // and two serve watches that catch up.
  const pool = openPool({
    url,
    settings: preferIndexScans,
    max: feedConnections.shared,
    applicationName: `${applicationName} feed`,
    onError,
  });
  const listeningPool = openPool({
    url: directUrl,
    max: feedConnections.listening,
    applicationName: `${applicationName} listening`,
    onError,
  });
  const subscribers = createSubscribers<Event>();
  const reader = startFeedReader({
    pool,
    source,
    deliver: subscribers.deliver,
    onError,
    onBroken: subscribers.fail,
  });
  const notifications = startNotifications({
    pool,
    listeningPool,
    channel: source.table,
    onNotification: reader.wake,
    onError,
  });
  const pruning = startSweeper({
    removeBatch: (limit) => prune(pool, source.table, retentionMs, limit),
    onError,
  });
  return {
    watch: createWatch({ pool, source, reader, subscribers, heartbeatMs }),
    notify: () => {
      reader.wake();
      notifications.notify();
    },
    close: async () => {
      await Promise.all([reader.close(), notifications.close(), pruning.close()]);
      await Promise.all([pool.end(), listeningPool.end()]);
    },
  };
}
