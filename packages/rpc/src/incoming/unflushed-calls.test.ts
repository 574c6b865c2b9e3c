import { afterEach, expect, test, vi } from 'vitest';
import { createUnflushedCalls, type UnflushedCall } from './unflushed-calls.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a call is reset once at its time, unless it was deleted', () => {
  vi.useFakeTimers();
  let nowMs = 1000;
  const resets: string[] = [];
  const calls = createUnflushedCalls(() => nowMs);
  const call = (name: string): UnflushedCall => ({ unflushed: undefined, reset: () => resets.push(name) });
  const read = call('read');
  calls.add(call('late'), 3000);
  calls.add(call('soon'), 2000);
  calls.add(read, 2000);
  calls.delete(read);
  const sweepAt = (atMs: number) => {
    nowMs = atMs;
    vi.advanceTimersByTime(200);
  };
  sweepAt(1999);
  expect(resets).toEqual([]);
  sweepAt(2000);
  expect(resets).toEqual(['soon']);
  sweepAt(4000);
  sweepAt(5000);
  expect(resets).toEqual(['soon', 'late']);
  calls.close();
});

test('calls that reset themselves again are reset once in a sweep', () => {
  vi.useFakeTimers();
  let resets = 0;
  const calls = createUnflushedCalls(() => 1000);
  const all = Array.from({ length: 3 }, () => {
    const call: UnflushedCall = {
      unflushed: undefined,
      reset: () => {
        resets++;
        calls.add(call, 1000);
      },
    };
    return call;
  });
  for (const call of all) calls.add(call, 1000);
  vi.advanceTimersByTime(200);
  expect(resets).toBe(3);
  for (const call of all) calls.delete(call);
  vi.advanceTimersByTime(400);
  expect(resets).toBe(3);
  calls.close();
});
