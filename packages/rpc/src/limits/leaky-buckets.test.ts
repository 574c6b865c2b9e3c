import { expect, test } from 'vitest';
import { createLeakyBuckets } from './leaky-buckets.ts';

test('a caller takes the bytes of one second at once, and then waits for the rate', () => {
  let nowMs = 0;
  const pace = createLeakyBuckets(1000, () => nowMs);
  pace.take('anna', 600);
  expect(pace.waitMs('anna')).toBe(0);
  pace.take('anna', 600);
  expect(pace.waitMs('anna')).toBe(200);
  expect(pace.waitMs('ben')).toBe(0);
  nowMs += 200;
  expect(pace.waitMs('anna')).toBe(0);
  pace.take('anna', 500);
  expect(pace.waitMs('anna')).toBe(500);
  pace.refund('anna', 400);
  expect(pace.waitMs('anna')).toBe(100);
  nowMs += 10_000;
  pace.take('anna', 1000);
  expect(pace.waitMs('anna')).toBe(0);
});
