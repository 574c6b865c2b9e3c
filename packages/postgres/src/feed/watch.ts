import { createFairSemaphore } from '@acme/rpc/server';
import type pg from 'pg';
import type { Pool } from '../pool/pool.ts';
import { untilAborted } from '../transaction/until-aborted.ts';
import { type MissedQuery, readMissed, requirePosition } from './feed-queries.ts';
import type { FeedReader } from './feed-reader.ts';
import type { FeedSource } from './feed-source.ts';
import { createPageBuffer } from './page-buffer.ts';
import { type Position, PositionAheadError } from './position.ts';
import type { Subscribers } from './subscribers.ts';

export interface WatchOptions {
  /** Keys whose changes are watched. Undefined for all. */
  readonly keys: ReadonlySet<string> | undefined;
  /** Position of the last item that the watcher has handled. Undefined to begin at the end of the feed. */
  readonly after: Position | undefined;
  /** Subject of the caller that watches. Callers that catch up take turns. */
  readonly caller: string;
  readonly signal: AbortSignal;
}

/**
 * Yields an item for every change after a position, once and in order. The first item, without an event, is yielded as soon
 * as the watch is open. A heartbeat is an item without an event too: it is yielded after a quiet interval, and holds the
 * watch's current position.
 *
 * `toItem` is called when an event is read, so a watch that waits for its consumer buffers items and no events.
 *
 * Throws `PositionExpiredError` when events after the position have been pruned, `PositionAheadError` when the database does
 * not hold the position's event, `BufferFullError` when the watcher is too slow, `SemaphoreFullError` when too many watches
 * catch up, the database's error, and the signal's reason.
 */
export type Watch<Event> = <Item>(
  options: WatchOptions,
  toItem: (event: Event | undefined, position: Position) => Item,
) => AsyncGenerator<Item, void>;

/** Reads of missed events that run at once, and the maximum wait for one. */
const catchUpReads = { permits: 2, maxWaitMs: 10_000 };

/** Maximum size of all pages that watches consume while they catch up, in bytes. */
const maxPagesBytes = 16 * 1024 * 1024;

/** Number of events behind the live feed at which a watch joins it. While it reads these, live events are buffered. */
const joinWithin = 500n;

export function createWatch<Row extends pg.QueryResultRow, Event>(feed: {
  readonly pool: Pool;
  readonly source: FeedSource<Row, Event>;
  readonly reader: FeedReader;
  readonly subscribers: Subscribers<Event>;
  readonly heartbeatMs: number;
}): Watch<Event> {
  const { pool, source, reader, subscribers, heartbeatMs } = feed;
  const reads = createFairSemaphore(catchUpReads);
  const buffer = createPageBuffer<{ sizeBytes: number; position: Position; item: unknown }>(maxPagesBytes);
  let waits = 0;

  /** Jitter of up to a sixteenth, so that the heartbeats of watchers of one change do not fire together. */
  const heartbeatWaitMs = () => heartbeatMs * (1 - (waits++ % 64) / 1024);

  return async function* <Item>(
    options: WatchOptions,
    toItem: (event: Event | undefined, position: Position) => Item,
  ) {
    const { keys, after, caller, signal } = options;

    /** Reads a page. The permit is released before the consumer takes the items. */
    const bufferMissed = async (query: MissedQuery) => {
      using _permit = await reads.acquire(caller, signal);
      const { events, end } = await readMissed(pool, source, query);
      const items = events.map(({ position, event, sizeBytes }) => ({
        position,
        sizeBytes,
        item: toItem(event, position),
      }));
      return { page: buffer(items), end };
    };

    async function* missed(from: Position, upTo: Position) {
      let known = from;
      for (let next = from.seq; next < upTo.seq; ) {
        const { page, end } = await bufferMissed({ known, after: next, upTo: upTo.seq, keys });
        using buffered = page;
        for (let taken = buffered.take(); taken; taken = buffered.take()) {
          known = taken.position;
          yield taken.item as Item;
        }
        next = buffered.isDropped() ? known.seq : end;
      }
    }

    const takeLive = (subscription: ReturnType<typeof subscribers.add>) => {
      const taken = subscription.take();
      return taken && { position: taken.position, item: toItem(taken.event, taken.position) };
    };

    using watcher = reader.addWatcher();
    await untilAborted(watcher.ready, signal, 0);
    const restarts = reader.restarts();
    if (after) await requireInFeed(after, caller, signal);
    let position = after ?? reader.position();
    yield toItem(undefined, position);
    // A watch that is far behind reads most of the events before it joins the live feed, so that none are buffered for it.
    while (reader.position().seq - position.seq > joinWithin) {
      const upTo = reader.position();
      yield* missed(position, upTo);
      position = upTo;
    }
    if (reader.restarts() !== restarts)
      throw new PositionAheadError(`the database no longer holds event ${position.seq}`);
    const upTo = reader.position();
    using subscription = subscribers.add(keys, later(position, upTo).seq);
    yield* missed(position, upTo);
    position = later(position, upTo);
    for (let isSilent = false; ; ) {
      const next = takeLive(subscription);
      if (next) {
        position = next.position;
        isSilent = false;
        yield next.item;
        continue;
      }
      position = later(position, reader.position());
      if (isSilent) yield toItem(undefined, position);
      isSilent = !(await subscription.wait(heartbeatWaitMs(), signal));
    }
  };

  async function requireInFeed(position: Position, caller: string, signal: AbortSignal) {
    using _permit = await reads.acquire(caller, signal);
    await requirePosition(pool, source.table, position);
  }
}

function later(one: Position, other: Position): Position {
  return one.seq < other.seq ? other : one;
}
