import { createFairSemaphore } from '@acme/rpc/limits/semaphore';
import type pg from 'pg';
import type { Pool } from '../pool/pool.ts';
import { untilAborted } from '../transaction/until-aborted.ts';
import { createHeldPages } from './held-pages.ts';
import { type Place, PlaceAheadError } from './position.ts';
import type { FeedReader } from './reader.ts';
import { checkPlace, type FeedSource, type MissedQuery, readMissed } from './source.ts';
import type { Subscribers } from './subscribers.ts';

export interface WatchOptions {
  /** Whose changes to watch; undefined for all. */
  readonly keys: ReadonlySet<string> | undefined;
  /** The place of the last item that was handled; undefined to begin with what changes from now on. */
  readonly after: Place | undefined;
  /** Subject of the caller that watches. Callers that catch up take turns. */
  readonly caller: string;
  readonly signal: AbortSignal;
}

/**
 * Yields an item for every change after a place, once and in order. The first item is yielded as soon as the watch is open
 * and is made without an event. A similar item is yielded after a quiet interval, and holds the watch's current place.
 *
 * `toItem` is called when an event is read, so that a watch that waits for its consumer holds items and no events.
 *
 * Throws `ExpiredError` for a place after which events have been pruned, `PlaceAheadError` for one that the database does
 * not hold (any more), `BufferFullError` when the watcher is too slow, `SemaphoreFullError` when too many catch up, what the
 * database failed with, and the signal's reason.
 */
export type Watch<Event> = <Item>(
  options: WatchOptions,
  toItem: (event: Event | undefined, place: Place) => Item,
) => AsyncGenerator<Item, void>;

/** Reads at a time of what watches have missed. */
const catchUpReads = { permits: 2, maxWaitMs: 10_000 };

/** Maximum that all watches that catch up hold of what they have read, in bytes. */
const maxHeldBytes = 16 * 1024 * 1024;

/** A watch joins the live feed when it is this near to it: what it reads after that, it buffers live events beside. */
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
  const hold = createHeldPages<{ sizeBytes: number; place: Place; item: unknown }>(maxHeldBytes);
  let waits = 0;

  /** Up to a sixteenth less than all: watchers that all heard of one change shall not all be told at one moment later. */
  const patienceMs = () => heartbeatMs * (1 - (waits++ % 64) / 1024);

  return async function* <Item>(
    options: WatchOptions,
    toItem: (event: Event | undefined, place: Place) => Item,
  ) {
    const { keys, after, caller, signal } = options;

    /** Reads a page. The slot is released before the consumer is waited for. */
    const holdMissed = async (query: MissedQuery) => {
      using _permit = await reads.acquire(caller, signal);
      const { events, end } = await readMissed(pool, source, query);
      const items = events.map(({ place, event, sizeBytes }) => ({
        place,
        sizeBytes,
        item: toItem(event, place),
      }));
      return { page: hold(items), end };
    };

    async function* missed(from: Place, upTo: Place) {
      let known = from;
      for (let next = from.seq; next < upTo.seq; ) {
        const { page, end } = await holdMissed({ known, after: next, upTo: upTo.seq, keys });
        using held = page;
        for (let taken = held.take(); taken; taken = held.take()) {
          known = taken.place;
          yield taken.item as Item;
        }
        next = held.isDropped() ? known.seq : end;
      }
    }

    const takeLive = (subscription: ReturnType<typeof subscribers.add>) => {
      const taken = subscription.take();
      return taken && { place: taken.place, item: toItem(taken.event, taken.place) };
    };

    using presence = reader.enter();
    await untilAborted(presence.atWork, signal, 0);
    const restarts = reader.restarts();
    if (after) await requireInFeed(after, caller, signal);
    let place = after ?? reader.position();
    yield toItem(undefined, place);
    // What is far behind is read before the watch joins the live feed: nothing is buffered for it meanwhile.
    while (reader.position().seq - place.seq > joinWithin) {
      const upTo = reader.position();
      yield* missed(place, upTo);
      place = upTo;
    }
    if (reader.restarts() !== restarts)
      throw new PlaceAheadError(`the database no longer holds event ${place.seq}`);
    const upTo = reader.position();
    using subscription = subscribers.add(keys, later(place, upTo).seq);
    yield* missed(place, upTo);
    place = later(place, upTo);
    for (let isSilent = false; ; ) {
      const next = takeLive(subscription);
      if (next) {
        place = next.place;
        isSilent = false;
        yield next.item;
        continue;
      }
      place = later(place, reader.position());
      if (isSilent) yield toItem(undefined, place);
      isSilent = !(await subscription.wait(patienceMs(), signal));
    }
  };

  async function requireInFeed(place: Place, caller: string, signal: AbortSignal) {
    using _permit = await reads.acquire(caller, signal);
    await checkPlace(pool, source.table, place);
  }
}

function later(one: Place, other: Place): Place {
  return one.seq < other.seq ? other : one;
}
