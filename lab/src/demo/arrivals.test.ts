import { expect, test } from 'vitest';
import { seededRandom } from '../harness/seeded-random.ts';
import { type ArrivalsOptions, arrivals } from './arrivals.ts';

/** Counts the arrivals of a time that has passed, so that none is waited for. */
async function count(options: Partial<ArrivalsOptions>): Promise<number> {
  const startMs = performance.now() - 20_000;
  const plan = { random: seededRandom('arrivals'), rateAt: () => 100, startMs, endMs: startMs + 10_000 };
  let counted = 0;
  for await (const _ of arrivals({ ...plan, ...options }, AbortSignal.timeout(60_000))) counted++;
  return counted;
}

test('customers arrive at the rate', async () => {
  // The end is before now, so that all are due: 10 s at 100/s, give or take five standard deviations.
  const startMs = performance.now();
  const ofPast = { startMs: startMs - 10_000, endMs: Infinity };
  let counted = 0;
  for await (const dueMs of arrivals(
    { random: seededRandom('arrivals'), rateAt: () => 100, ...ofPast },
    AbortSignal.timeout(60_000),
  )) {
    if (dueMs > startMs) break;
    counted++;
  }
  expect(Math.abs(counted - 1000)).toBeLessThan(160);
});

test('no customer arrives at a rate of 0, and customers arrive again as soon as it rises', async () => {
  const beganMs = performance.now();
  const rateAt = () => (performance.now() - beganMs > 300 ? 1000 : 0);
  const options = { random: seededRandom('arrivals'), rateAt, startMs: beganMs };
  const { value } = await arrivals(options, AbortSignal.timeout(60_000)).next();
  expect(value - beganMs).toBeGreaterThan(200);
});

test('arrivals end at their end, and with the signal', async () => {
  expect(await count({})).toBe(0);
  const signal = AbortSignal.timeout(50);
  const options = { random: seededRandom('arrivals'), rateAt: () => 0, startMs: performance.now() };
  expect(await arrivals(options, signal).next()).toEqual({ done: true, value: undefined });
});

test('arrivals that are overdue are omitted beyond the limit', async () => {
  const nowMs = performance.now();
  const options = {
    random: seededRandom('arrivals'),
    rateAt: () => 100,
    startMs: nowMs - 60_000,
    maxLateMs: 1000,
  };
  const { value } = await arrivals(options, AbortSignal.timeout(60_000)).next();
  expect(value).toBeGreaterThan(nowMs - 1200);
});
