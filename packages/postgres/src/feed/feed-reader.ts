import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Pool } from '../pool/pool.ts';
import { createWakeableSleep } from '../timing/wakeable-sleep.ts';
import { readEnd, readPage, readWriters } from './feed-queries.ts';
import type { FeedEvent, FeedSource } from './feed-source.ts';
import { type Position, PositionAheadError, PositionExpiredError } from './position.ts';
import { bufferLimits } from './subscription.ts';

export interface FeedReaderOptions<Row extends pg.QueryResultRow, Event> {
  readonly pool: Pool;
  readonly source: FeedSource<Row, Event>;
  /** Called with every event once, in order, as soon as no earlier event can be committed. */
  readonly deliver: (event: FeedEvent<Event>) => void;
  /** Called for every failed read. It is retried. */
  readonly onError: (error: unknown) => void;
  /**
   * Called when open watches miss events: reads have failed for `maxSilenceMs`, or the reader restarts because the database
   * no longer holds the events that were read.
   */
  readonly onBroken: (error: unknown) => void;
}

export interface FeedReader {
  /**
   * Registers a watcher until it is disposed. Without watchers nothing is read. `ready` resolves once events are being
   * read, and rejects when reads have failed for `maxSilenceMs`.
   */
  addWatcher(): { readonly ready: Promise<void> } & Disposable;
  /** The position up to which all events are final and have been delivered. */
  position(): Position;
  /** Number of restarts. A watch that was opened before a restart has missed events. */
  restarts(): number;
  /** Reads at once, because there may be new events. */
  wake(): void;
  close(): Promise<void>;
}

/** Maximum time until a change without a notification is read. */
const pollMs = 1000;
/** Pause between two reads, so that a burst of changes is read in pages and not one by one. */
const pauseMs = 10;
/** Delay after a failed read. */
const retryMs = 500;
/** Time without a successful read after which `onBroken` is called. */
const maxSilenceMs = 10_000;
/** Approximate bytes that are delivered in one turn of the event loop: a fraction of a watcher's buffer. */
const burstBytes = bufferLimits.sizeBytes / 4;

/**
 * Reads a feed in the order of its sequence, for all watchers of this process.
 *
 * For one row of the application's table that is the order of its changes: a transaction takes the number while it holds
 * the row's lock, and keeps the lock until it has committed. Transactions on different rows commit in any order, so a
 * missing number may still appear. The reader waits at such a gap until the number appears or can no longer appear: every
 * transaction that was writing to the table when an event beyond the gap was read has ended (ADR 16).
 */
export function startFeedReader<Row extends pg.QueryResultRow, Event>(
  options: FeedReaderOptions<Row, Event>,
): FeedReader {
  const { pool, source, deliver, onError, onBroken } = options;
  const idle = createWakeableSleep();
  let closed = false;
  let watchers = 0;
  let isReady = false;
  let ready = createReadyPromise();
  let restarts = 0;
  let position: Position = { seq: 0n, timeUs: undefined };
  /** Numbers up to here that are not in the table can no longer appear. */
  let settledTo = 0n;
  let gap: { readonly upTo: bigint; readonly writers: ReadonlySet<string> } | undefined;

  /** Moves to the end of the feed once all transactions that may have written events before it have ended. */
  const begin = async () => {
    const end = await readEnd(pool, source.table);
    const writers = await readWriters(pool, source.table);
    while (!closed && !(await haveEnded(writers))) await sleep(pauseMs);
    [position, settledTo, gap] = [end, end.seq, undefined];
  };
  const haveEnded = async (writers: ReadonlySet<string>) =>
    writers.size === 0 || writers.isDisjointFrom(await readWriters(pool, source.table));

  /** Delivers the final events of the page in bursts, so that fast watchers can take them meanwhile. */
  const deliverFinal = async (page: readonly FeedEvent<Event>[]): Promise<number> => {
    let delivered = 0;
    let sizeBytes = 0;
    for (const event of page) {
      const { seq } = event.position;
      if (seq !== position.seq + 1n && seq > settledTo) break;
      position = event.position;
      deliver(event);
      delivered++;
      sizeBytes += event.sizeBytes;
      if (sizeBytes < burstBytes) continue;
      sizeBytes = 0;
      await nextTurn();
    }
    return delivered;
  };

  /** Reads and delivers a page. Returns whether more may be read at once. */
  const readOn = async (): Promise<boolean> => {
    const { items: events, hasMore } = await readPage(pool, source, position);
    const delivered = await deliverFinal(events);
    const beyond = delivered < events.length ? events.at(-1) : undefined;
    if (!beyond) {
      gap = undefined;
      return hasMore;
    }
    if (!gap || gap.upTo <= position.seq) {
      gap = { upTo: beyond.position.seq, writers: await readWriters(pool, source.table) };
      return false;
    }
    if (!(await haveEnded(gap.writers))) return false;
    // Later reads see all events that those transactions have committed.
    [settledTo, gap] = [gap.upTo, undefined];
    return true;
  };

  /** Makes the next turn begin at the end of the feed. */
  const reset = () => {
    if (isReady) ready = createReadyPromise();
    isReady = false;
  };

  /** Ends the open watches, because events after `position` can no longer be read and must not be skipped silently. */
  const restart = (error: PositionExpiredError | PositionAheadError) => {
    restarts++;
    reset();
    onBroken(error);
  };

  const turn = async () => {
    if (watchers === 0) {
      reset();
      return idle.sleep(pollMs);
    }
    if (!isReady) await begin();
    isReady = true;
    ready.resolve();
    if (await readOn()) return;
    await sleep(pauseMs);
    await idle.sleep(gap ? pauseMs : pollMs);
  };

  const run = async () => {
    let succeededMs = performance.now();
    let failures = 0;
    while (!closed) {
      try {
        await turn();
        succeededMs = performance.now();
        failures = 0;
      } catch (error) {
        onError(error);
        if (error instanceof PositionAheadError || error instanceof PositionExpiredError) {
          restart(error);
          continue;
        }
        failures++;
        // A single failure may come from this process itself, which was too busy to read the response in time.
        if (failures > 2 && performance.now() - succeededMs > maxSilenceMs) {
          onBroken(error);
          ready.reject(error);
          if (!isReady) ready = createReadyPromise();
        }
        await sleep(retryMs);
      }
    }
  };
  const ended = run();

  return {
    addWatcher: () => {
      // Nothing was read while there were no watchers, and the database may have been replaced since.
      if (watchers++ === 0) reset();
      idle.wake();
      return { ready: ready.promise, [Symbol.dispose]: () => void watchers-- };
    },
    position: () => position,
    restarts: () => restarts,
    wake: idle.wake,
    close: async () => {
      closed = true;
      idle.wake();
      await ended;
    },
  };
}

/** Returns a promise whose rejection may stay unhandled. */
function createReadyPromise(): PromiseWithResolvers<void> {
  const promise = Promise.withResolvers<void>();
  promise.promise.catch(() => {});
  return promise;
}
