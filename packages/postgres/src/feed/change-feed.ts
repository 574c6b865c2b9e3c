import type pg from 'pg';
import { openPool } from '../pool/pool.ts';
import { indexWalks } from '../pool/prefer-index-scans.ts';
import { startNotices } from './notifications.ts';
import { startPruning } from './pruning.ts';
import { startFeedReader } from './reader.ts';
import type { FeedSource } from './source.ts';
import { createSubscribers } from './subscribers.ts';
import { createWatch, type Watch } from './watch.ts';

export interface ChangeFeedOptions<Row extends pg.QueryResultRow, Event> {
  readonly url: string;
  readonly applicationName: string;
  readonly source: FeedSource<Row, Event>;
  /** How long events are kept; a week when absent. */
  readonly retentionMs?: number;
  /** How long a watcher hears nothing at the most; 15 s when absent. */
  readonly heartbeatMs?: number;
  /** Hears of what failed and will be tried again. */
  readonly onError: (error: unknown) => void;
}

export interface ChangeFeed<Event> {
  readonly watch: Watch<Event>;
  /**
   * To be called when a transaction that wrote events has committed: the watchers of all replicas hear of it at once.
   * Without it they do within a second.
   */
  changed(): void;
  close(): Promise<void>;
}

const weekMs = 7 * 24 * 60 * 60 * 1000;

/** Opens the feed of a table of events: one reader serves all watchers of this process. */
export function openChangeFeed<Row extends pg.QueryResultRow, Event>(
  options: ChangeFeedOptions<Row, Event>,
): ChangeFeed<Event> {
  const { url, applicationName, source, retentionMs = weekMs, heartbeatMs = 15_000, onError } = options;
  // Its own connections, so that watchers never take those that calls need: one listens, one reads, one announces or
  // prunes, and two catch up.
  const pool = openPool({
    url,
    settings: indexWalks,
    max: 5,
    applicationName: `${applicationName} feed`,
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
  const notices = startNotices({ pool, channel: source.table, onNotice: reader.wake, onError });
  const pruning = startPruning({ pool, table: source.table, retentionMs, onError });
  return {
    watch: createWatch({ pool, source, reader, subscribers, heartbeatMs }),
    changed: () => {
      reader.wake();
      notices.announce();
    },
    close: async () => {
      await Promise.all([reader.close(), notices.close(), pruning.close()]);
      await pool.end();
    },
  };
}
