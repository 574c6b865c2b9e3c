import type pg from 'pg';
import type { FeedReader } from './change-feed-reader.ts';
import { type FeedEvent, type FeedSource, pageSize, readPage, readPruned } from './change-feed-source.ts';
import type { Subscribers } from './change-feed-subscribers.ts';
import type { Pool } from './pool.ts';
import { createSlots } from './slots.ts';
import { untilAborted } from './until-aborted.ts';

export interface WatchOptions {
  /** Whose changes to tell; undefined for all. */
  readonly keys: ReadonlySet<string> | undefined;
  /** The `seq` of the last item that was handled; undefined to begin with what changes from now on. */
  readonly after: bigint | undefined;
  readonly signal: AbortSignal;
}

/** A change, or without an event only how far the watcher has come: nothing up to there was for it. */
export interface FeedItem<Event> {
  readonly seq: bigint;
  readonly event: Event | undefined;
}

/**
 * Every change after a place, once and in order. The first item comes as soon as the watch stands and has no event; one
 * like it comes whenever nothing has happened for a while.
 *
 * Throws `ExpiredError` for a place after which events have been pruned, `BufferFullError` when the watcher is too slow,
 * what the database failed with, and the signal's reason.
 */
export type Watch<Event> = (options: WatchOptions) => AsyncGenerator<FeedItem<Event>, void>;

/** Events after that place are no longer there. */
export class ExpiredError extends Error {
  override name = 'ExpiredError';
}

/** Watchers that read what they missed at a time; the others wait for their turn. */
const maxCatchingUp = 2;

export function createWatch<Row extends pg.QueryResultRow, Event>(feed: {
  readonly pool: Pool;
  readonly source: FeedSource<Row, Event>;
  readonly reader: FeedReader;
  readonly subscribers: Subscribers<Event>;
  readonly heartbeatMs: number;
}): Watch<Event> {
  const { pool, source, reader, subscribers, heartbeatMs } = feed;
  const takeSlot = createSlots(maxCatchingUp);
  let waits = 0;

  /** Up to a sixteenth less than all: watchers that all heard of one change shall not all be told at one moment later. */
  const patienceMs = () => heartbeatMs * (1 - (waits++ % 64) / 1024);

  const requireKept = async (after: bigint) => {
    if ((await readPruned(pool, source.table)) > after)
      throw new ExpiredError(`events after ${after} have been pruned`);
  };

  const readMissed = async (after: bigint, upTo: bigint, signal: AbortSignal) => {
    using _slot = await takeSlot(signal);
    const page = await readPage(pool, source, after, upTo);
    // Asked afterwards: what is not pruned by now was all there before.
    await requireKept(after);
    return page;
  };

  async function* missed(from: bigint, upTo: bigint, { keys, signal }: WatchOptions) {
    for (let after = from; after < upTo; ) {
      const page = await readMissed(after, upTo, signal);
      for (const event of page) if (!keys || keys.has(event.key)) yield itemOf(event);
      after = page.length < pageSize ? upTo : (page.at(-1)?.seq ?? upTo);
    }
  }

  return async function* (options) {
    const { keys, after, signal } = options;
    using presence = reader.enter();
    await untilAborted(presence.atWork, signal, 0);
    let seq = after ?? reader.position();
    if (seq < reader.position()) await requireKept(seq);
    yield { seq, event: undefined };
    // What does not fit into one page is read before the watcher joins: nothing is buffered for it meanwhile.
    while (reader.position() - seq > BigInt(pageSize)) {
      const upTo = reader.position();
      yield* missed(seq, upTo, options);
      seq = upTo;
    }
    const upTo = reader.position();
    using subscription = subscribers.add(keys, seq > upTo ? seq : upTo);
    yield* missed(seq, upTo, options);
    if (seq < upTo) seq = upTo;
    for (let isSilent = false; ; ) {
      const event = subscription.take();
      if (event) {
        seq = event.seq;
        yield itemOf(event);
        isSilent = false;
        continue;
      }
      if (reader.position() > seq) seq = reader.position();
      if (isSilent) yield { seq, event: undefined };
      isSilent = !(await subscription.wait(patienceMs(), signal));
    }
  };
}

function itemOf<Event>({ seq, event }: FeedEvent<Event>): FeedItem<Event> {
  return { seq, event };
}
