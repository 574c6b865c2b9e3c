import type { FeedEvent } from './source.ts';
import { createSubscription, type Subscriber, type Subscription } from './subscription.ts';

/**
 * Maximum that waits for all watchers of the process, in bytes. An event that waits for several is counted once. Beyond it
 * the watcher with the most ends with `BufferFullError`.
 */
const maxTotalBytes = 16 * 1024 * 1024;

export interface Subscribers<Event> {
  /** @param keys Undefined for all. @param after Events up to here are known to the watcher. */
  add(keys: ReadonlySet<string> | undefined, after: bigint): Subscription<Event>;
  /** Hands the event to all watchers of its key. */
  deliver(event: FeedEvent<Event>): void;
  /** Ends all watches with this error. */
  fail(error: unknown): void;
}

export function createSubscribers<Event>(): Subscribers<Event> {
  const all = new Set<Subscriber<Event>>();
  const toEverything = new Set<Subscriber<Event>>();
  const byKey = new Map<string, Set<Subscriber<Event>>>();
  /** The events that wait, each with the number of watchers that it waits for. */
  const waiting = new Map<FeedEvent<Event>, number>();
  let totalBytes = 0;

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

  const onHeld = (event: FeedEvent<Event>) => {
    const holders = waiting.get(event) ?? 0;
    waiting.set(event, holders + 1);
    if (holders === 0) totalBytes += event.sizeBytes;
  };
  const onLeft = (event: FeedEvent<Event>) => {
    const holders = waiting.get(event) ?? 0;
    if (holders > 1) return void waiting.set(event, holders - 1);
    waiting.delete(event);
    totalBytes -= event.sizeBytes;
  };
  const makeRoom = () => {
    while (totalBytes > maxTotalBytes) {
      let fullest: Subscriber<Event> | undefined;
      for (const each of all) if (each.sizeBytes() > (fullest?.sizeBytes() ?? 0)) fullest = each;
      if (!fullest) return;
      fullest.overflow();
    }
  };

  return {
    add: (keys, after) => {
      const { subscriber, subscription } = createSubscription<Event>({ after, onHeld, onLeft });
      enlist(subscriber, keys);
      const leave = () => {
        strike(subscriber, keys);
        subscriber.clear();
      };
      return { ...subscription, [Symbol.dispose]: leave };
    },
    deliver: (event) => {
      for (const subscriber of byKey.get(event.key) ?? []) subscriber.push(event);
      for (const subscriber of toEverything) subscriber.push(event);
      makeRoom();
    },
    fail: (error) => {
      for (const subscriber of all) subscriber.fail(error);
    },
  };
}
