import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Pool } from '../pool/pool.ts';
import { ExpiredError, type Place, PlaceAheadError } from './position.ts';
import { type FeedEvent, type FeedSource, readEnd, readPage } from './source.ts';
import { bufferLimits } from './subscription.ts';
import { createAlarm } from './wakeable-sleep.ts';
import { readWriters } from './writers.ts';

export interface FeedReaderOptions<Row extends pg.QueryResultRow, Event> {
  readonly pool: Pool;
  readonly source: FeedSource<Row, Event>;
  /** Gets every event once, in order, as soon as nothing can come before it any more. */
  readonly deliver: (event: FeedEvent<Event>) => void;
  /** Hears of every read that failed, and will be tried again. */
  readonly onError: (error: unknown) => void;
  /**
   * Called when watchers miss something from now on: nothing could be read for long, or the reader began anew because the
   * database no longer holds what it had read.
   */
  readonly onBroken: (error: unknown) => void;
}

export interface FeedReader {
  /**
   * Counts a watcher in, until it is disposed: without watchers nothing is read. `atWork` resolves once the reader is, and
   * rejects when it cannot read for long.
   */
  enter(): { readonly atWork: Promise<void> } & Disposable;
  /** Everything up to here is final and has been delivered to those who watched then. */
  position(): Place;
  /** Number of times that the reader has begun anew. A watch that began before has missed something. */
  restarts(): number;
  /** Something has changed: read now. */
  wake(): void;
  close(): Promise<void>;
}

/** A change that nobody told of is seen after this long. */
const pollMs = 1000;
/** Between two reads, so that a flood of changes is read in pages and not one by one. */
const pauseMs = 10;
/** After a read that failed. */
const retryMs = 500;
/** For how long nothing can be read before watchers are told. */
const maxSilenceMs = 10_000;
/** About what is delivered in one turn of the event loop: a part of what a watcher's buffer holds. */
const burstBytes = bufferLimits.sizeBytes / 4;

/**
 * Reads a feed in the order of its sequence, for all watchers of this process.
 *
 * Within an order, or an article, that is the order of the changes: a transaction takes the number when it holds the
 * row's lock, and keeps that until it has committed. Between them transactions commit in any order, so a number that is
 * missing may still come. The reader waits at it until it has come or can come no more: once every transaction that was
 * writing to the table when something beyond the gap was seen has ended (ADR 16).
 */
export function startFeedReader<Row extends pg.QueryResultRow, Event>(
  options: FeedReaderOptions<Row, Event>,
): FeedReader {
  const { pool, source, deliver, onError, onBroken } = options;
  const alarm = createAlarm();
  let closed = false;
  let watchers = 0;
  let isAtWork = false;
  let atWork = promised();
  let restarts = 0;
  let position: Place = { seq: 0n, timeUs: undefined };
  /** Numbers up to here that are not in the table can come no more. */
  let settledTo = 0n;
  let gap: { readonly upTo: bigint; readonly writers: ReadonlySet<string> } | undefined;

  /** Begins after everything that has been written, when all who may have written it have ended. */
  const begin = async () => {
    const end = await readEnd(pool, source.table);
    const writers = await readWriters(pool, source.table);
    while (!closed && !(await haveEnded(writers))) await sleep(pauseMs);
    [position, settledTo, gap] = [end, end.seq, undefined];
  };
  const haveEnded = async (writers: ReadonlySet<string>) =>
    writers.size === 0 || writers.isDisjointFrom(await readWriters(pool, source.table));

  /** Delivers those of the page that are final, a little at a time: watchers that are quick take them meanwhile. */
  const deliverFinal = async (page: readonly FeedEvent<Event>[]): Promise<number> => {
    let delivered = 0;
    let sizeBytes = 0;
    for (const event of page) {
      const { seq } = event.place;
      if (seq !== position.seq + 1n && seq > settledTo) break;
      position = event.place;
      deliver(event);
      delivered++;
      sizeBytes += event.sizeBytes;
      if (sizeBytes < burstBytes) continue;
      sizeBytes = 0;
      await nextTurn();
    }
    return delivered;
  };

  /** Reads a page; true when there may be more to read at once. */
  const readOn = async (): Promise<boolean> => {
    const { events, isCut } = await readPage(pool, source, position);
    const delivered = await deliverFinal(events);
    const beyond = delivered < events.length ? events.at(-1) : undefined;
    if (!beyond) {
      gap = undefined;
      return isCut;
    }
    if (!gap || gap.upTo <= position.seq) {
      gap = { upTo: beyond.place.seq, writers: await readWriters(pool, source.table) };
      return false;
    }
    if (!(await haveEnded(gap.writers))) return false;
    // What is read from now on shows everything that those transactions have left.
    [settledTo, gap] = [gap.upTo, undefined];
    return true;
  };

  /** Has the next turn begin after what is written then. */
  const leaveWork = () => {
    if (isAtWork) atWork = promised();
    isAtWork = false;
  };

  /** What can no longer be read after `position` is not skipped in silence: the watches end. */
  const beginAnew = (error: ExpiredError | PlaceAheadError) => {
    restarts++;
    leaveWork();
    onBroken(error);
  };

  const turn = async () => {
    if (watchers === 0) {
      leaveWork();
      return alarm.sleep(pollMs);
    }
    if (!isAtWork) await begin();
    isAtWork = true;
    atWork.resolve();
    if (await readOn()) return;
    await sleep(pauseMs);
    await alarm.sleep(gap ? pauseMs : pollMs);
  };

  const run = async () => {
    let workedMs = performance.now();
    let failures = 0;
    while (!closed) {
      try {
        await turn();
        workedMs = performance.now();
        failures = 0;
      } catch (error) {
        onError(error);
        if (error instanceof PlaceAheadError || error instanceof ExpiredError) {
          beginAnew(error);
          continue;
        }
        failures++;
        // One alone may be this process itself, that had no time to look at the answer.
        if (failures > 2 && performance.now() - workedMs > maxSilenceMs) {
          onBroken(error);
          atWork.reject(error);
          if (!isAtWork) atWork = promised();
        }
        await sleep(retryMs);
      }
    }
  };
  const ended = run();

  return {
    enter: () => {
      // Nothing was read without watchers: the database may have been replaced since.
      if (watchers++ === 0) leaveWork();
      alarm.ring();
      return { atWork: atWork.promise, [Symbol.dispose]: () => void watchers-- };
    },
    position: () => position,
    restarts: () => restarts,
    wake: alarm.ring,
    close: async () => {
      closed = true;
      alarm.ring();
      await ended;
    },
  };
}

/** A promise whose rejection need not be heard. */
function promised(): PromiseWithResolvers<void> {
  const promise = Promise.withResolvers<void>();
  promise.promise.catch(() => {});
  return promise;
}
