import type { FeedEvent } from './feed-source.ts';
import { createSubscription, type Subscriber, type Subscription } from './subscription.ts';

/**
 * Maximum buffered for all watchers of the process, in bytes. An event in several buffers is counted once. Beyond the
 * maximum, the watcher with the largest buffer ends with `BufferFullError`.
 */
const maxTotalBytes = 16 * 1024 * 1024;

/** The watchers of a feed in this process. */
export interface Subscribers<Event> {
  /** @param keys Undefined for all. @param after The watcher already knows the events up to this number. */
  add(keys: ReadonlySet<string> | undefined, after: bigint): Subscription<Event>;
  /** Pushes the event to all watchers of its key. */
  deliver(event: FeedEvent<Event>): void;
  /** Ends all watches with this error. */
  fail(error: unknown): void;
}

export function createSubscribers<Event>(): Subscribers<Event> {
  const all = new Set<Subscriber<Event>>();
  const ofAllKeys = new Set<Subscriber<Event>>();
  const byKey = new Map<string, Set<Subscriber<Event>>>();
  /** The buffered events, each with the number of buffers that hold it. */
  const buffered = new Map<FeedEvent<Event>, number>();
  let totalBytes = 0;

  const register = (subscriber: Subscriber<Event>, keys: ReadonlySet<string> | undefined) => {
    all.add(subscriber);
    if (!keys) ofAllKeys.add(subscriber);
    for (const key of keys ?? []) {
      const ofKey = byKey.get(key) ?? new Set();
      byKey.set(key, ofKey.add(subscriber));
    }
  };
  const unregister = (subscriber: Subscriber<Event>, keys: ReadonlySet<string> | undefined) => {
    all.delete(subscriber);
    ofAllKeys.delete(subscriber);
    for (const key of keys ?? []) {
      const ofKey = byKey.get(key);
      ofKey?.delete(subscriber);
      if (ofKey?.size === 0) byKey.delete(key);
    }
  };

  const onBuffered = (event: FeedEvent<Event>) => {
    const holders = buffered.get(event) ?? 0;
    buffered.set(event, holders + 1);
    if (holders === 0) totalBytes += event.sizeBytes;
  };
  const onRemoved = (event: FeedEvent<Event>) => {
    const holders = buffered.get(event) ?? 0;
    if (holders > 1) return void buffered.set(event, holders - 1);
    buffered.delete(event);
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
      const { subscriber, subscription } = createSubscription<Event>({ after, onBuffered, onRemoved });
      register(subscriber, keys);
      const unsubscribe = () => {
        unregister(subscriber, keys);
        subscriber.clear();
      };
      return { ...subscription, [Symbol.dispose]: unsubscribe };
    },
    deliver: (event) => {
      for (const subscriber of byKey.get(event.key) ?? []) subscriber.push(event);
      for (const subscriber of ofAllKeys) subscriber.push(event);
      makeRoom();
    },
    fail: (error) => {
      for (const subscriber of all) subscriber.fail(error);
    },
  };
}
