import { afterEach, expect, test, vi } from 'vitest';
import { createUnflushedCalls } from './unflushed-calls.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a call is reset once at its time, unless it was deleted', () => {
  vi.useFakeTimers();
  let nowMs = 1000;
  const resets: string[] = [];
  const calls = createUnflushedCalls(() => nowMs);
  const call = (name: string) => ({ reset: () => resets.push(name) });
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
