import { expect, test } from 'vitest';
import type { FeedEvent } from './feed-source.ts';
import { createSubscribers } from './subscribers.ts';
import { BufferFullError } from './subscription.ts';

let seq = 0n;
const eventOf = (key: string, sizeBytes: number): FeedEvent<string> => ({
  position: { seq: ++seq, timeUs: 1n },
  key,
  event: key,
  sizeBytes,
});

/** Larger than a watcher's buffer, which therefore holds one. */
const sizeBytes = 1024 * 1024;
const count = 16;

test('the watcher with the largest buffer ends when all buffers exceed 16 MiB', () => {
  const subscribers = createSubscribers<string>();
  const watches = Array.from({ length: count }, (_, index) => subscribers.add(new Set([`${index}`]), 0n));
  for (let index = 0; index < count; index++) subscribers.deliver(eventOf(`${index}`, sizeBytes));
  using fullest = subscribers.add(new Set(['large']), 0n);
  subscribers.deliver(eventOf('large', 2 * sizeBytes));
  expect(() => fullest.take()).toThrow(BufferFullError);
  for (const watch of watches) expect(watch.take()).toBeDefined();
  // All buffers are empty.
  using next = subscribers.add(new Set(['next']), 0n);
  subscribers.deliver(eventOf('next', count * sizeBytes));
  expect(next.take()).toBeDefined();
});

test('an event in many buffers is counted once, and a watcher that unsubscribes empties its buffer', () => {
  const subscribers = createSubscribers<string>();
  const watches = Array.from({ length: 100 }, () => subscribers.add(new Set(['same']), 0n));
  subscribers.deliver(eventOf('same', count * sizeBytes));
  for (const watch of watches.slice(1)) expect(watch.take()?.key).toBe('same');
  watches[0]?.[Symbol.dispose]();
  using next = subscribers.add(new Set(['next']), 0n);
  subscribers.deliver(eventOf('next', count * sizeBytes));
  expect(next.take()).toBeDefined();
});
