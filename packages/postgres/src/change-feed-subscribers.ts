import type { FeedEvent } from './change-feed-source.ts';

/** What a watcher may leave unread before it is let go: events, and about how many bytes of them. */
export const bufferLimits = { events: 256, sizeBytes: 64 * 1024 };

/** One watcher's place in the live feed. Disposing gives it up. */
export interface Subscription<Event> extends Disposable {
  /** The next event that has come. Throws what the feed was failed with, and `BufferFullError`. */
  take(): FeedEvent<Event> | undefined;
  /** Resolves with true when there is something to take, with false after this long; rejects with the signal's reason. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<boolean>;
}

/** A watcher reads more slowly than things change. What it left is dropped; it can resume after what it has taken. */
export class BufferFullError extends Error {
  override name = 'BufferFullError';
}

export interface Subscribers<Event> {
  /** @param keys Undefined for all. @param after Events up to here are known to the watcher. */
  add(keys: ReadonlySet<string> | undefined, after: bigint): Subscription<Event>;
  /** Hands the event to everybody who watches its key. */
  deliver(event: FeedEvent<Event>): void;
  /** Ends all watches with this error. */
  fail(error: unknown): void;
}

interface Subscriber<Event> {
  push(event: FeedEvent<Event>): void;
  fail(error: unknown): void;
}

export function createSubscribers<Event>(): Subscribers<Event> {
  const all = new Set<Subscriber<Event>>();
  const toEverything = new Set<Subscriber<Event>>();
  const byKey = new Map<string, Set<Subscriber<Event>>>();

  const enlist = (subscriber: Subscriber<Event>, keys: ReadonlySet<string> | undefined) => {
    all.add(subscriber);
    if (!keys) toEverything.add(subscriber);
    for (const key of keys ?? []) byKey.getOrInsertComputed(key, () => new Set()).add(subscriber);
  };
  const strike = (subscriber: Subscriber<Event>, keys: ReadonlySet<string> | undefined) => {
    all.delete(subscriber);
    toEverything.delete(subscriber);
    for (const key of keys ?? []) {
      const those = byKey.get(key);
      those?.delete(subscriber);
      if (those?.size === 0) byKey.delete(key);
    }
  };

  return {
    add: (keys, after) => {
      const { subscriber, subscription } = createSubscription<Event>(after);
      enlist(subscriber, keys);
      return { ...subscription, [Symbol.dispose]: () => strike(subscriber, keys) };
    },
    deliver: (event) => {
      for (const subscriber of byKey.get(event.key) ?? []) subscriber.push(event);
      for (const subscriber of toEverything) subscriber.push(event);
    },
    fail: (error) => {
      for (const subscriber of all) subscriber.fail(error);
    },
  };
}

function createSubscription<Event>(after: bigint) {
  let events: FeedEvent<Event>[] = [];
  let sizeBytes = 0;
  let failure: unknown;
  let wake: (() => void) | undefined;

  const fail = (error: unknown) => {
    failure ??= error;
    events = [];
    wake?.();
  };
  const push = (event: FeedEvent<Event>) => {
    if (failure !== undefined || event.seq <= after) return;
    sizeBytes += event.sizeBytes;
    events.push(event);
    // One event is taken however large it is: its watcher may well be quick.
    const isFull = events.length > bufferLimits.events || sizeBytes > bufferLimits.sizeBytes;
    if (isFull && events.length > 1) fail(new BufferFullError('more has changed than the watcher reads'));
    else wake?.();
  };
  const take = () => {
    if (failure !== undefined) throw failure;
    const event = events.shift();
    sizeBytes -= event?.sizeBytes ?? 0;
    return event;
  };
  const wait = (timeoutMs: number, signal: AbortSignal) =>
    new Promise<boolean>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const settle = (finish: () => void) => {
        wake = undefined;
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        finish();
      };
      const onAbort = () => settle(() => reject(signal.reason));
      wake = () => settle(() => resolve(true));
      const timer = setTimeout(() => settle(() => resolve(false)), timeoutMs);
      signal.addEventListener('abort', onAbort);
      if (events.length > 0 || failure !== undefined) wake();
    });
  return { subscriber: { push, fail }, subscription: { take, wait } };
}
