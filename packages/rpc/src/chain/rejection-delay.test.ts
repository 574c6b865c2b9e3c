import { expect, test } from 'vitest';
import { createRejectionDelay } from './rejection-delay.ts';

function start() {
  let nowMs = 0;
  const late = createRejectionDelay(() => nowMs);
  return {
    ...late,
    advance: (ms: number) => {
      nowMs += ms;
    },
    /** Rejects `count` calls of the caller and returns the delay of the last. */
    reject: (caller: string, count: number) => {
      let delayMs = 0;
      for (let call = 0; call < count; call++) delayMs = late.nextDelayMs(caller);
      return delayMs;
    },
  };
}

test('rejections of a caller are delayed from the 101st in a second, while others call', () => {
  const late = start();
  late.recordCall('modest');
  late.recordCall('greedy');
  expect(late.reject('greedy', 100)).toBe(0);
  expect(late.reject('greedy', 1)).toBe(500);
  expect(late.reject('modest', 1)).toBe(0);
  late.advance(1000);
  expect(late.reject('greedy', 1)).toBe(500);
  late.advance(1000);
  expect(late.reject('greedy', 1)).toBe(0);
});

test('the only caller of a server is always rejected at once', () => {
  const late = start();
  late.recordCall('greedy');
  expect(late.reject('greedy', 10_000)).toBe(0);
  late.recordCall('modest');
  expect(late.reject('greedy', 1)).toBe(500);
  late.advance(2000);
  late.recordCall('greedy');
  expect(late.reject('greedy', 200)).toBe(0);
});
