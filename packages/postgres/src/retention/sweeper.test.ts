import { afterEach, expect, test, vi } from 'vitest';
import { rowsPerBatch, startSweeper } from './sweeper.ts';

/** Returns a batch that removes these numbers of rows in turn, and then none. */
function batches(...counts: readonly number[]) {
  const limits: number[] = [];
  const removeBatch = async (limit: number) => {
    limits.push(limit);
    return counts[limits.length - 1] ?? 0;
  };
  return { limits, removeBatch };
}

const onError = () => expect.unreachable();
const shorterThanInterval = 30_000;

afterEach(() => void vi.useRealTimers());

test('a sweep ends with the first batch that is not full', async () => {
  const { limits, removeBatch } = batches(rowsPerBatch, rowsPerBatch, 3, rowsPerBatch);
  vi.useFakeTimers();
  const sweeper = startSweeper({ removeBatch, onError });
  await vi.advanceTimersByTimeAsync(shorterThanInterval);
  expect(limits).toEqual([rowsPerBatch, rowsPerBatch, rowsPerBatch]);
  await sweeper.close();
});

test('a sweep removes a limited number of batches', async () => {
  const { limits, removeBatch } = batches(...Array<number>(1000).fill(rowsPerBatch));
  vi.useFakeTimers();
  const sweeper = startSweeper({ removeBatch, onError });
  await vi.advanceTimersByTimeAsync(shorterThanInterval);
  expect(limits).toHaveLength(60);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(limits.length).toBeGreaterThan(60);
  await sweeper.close();
});

test('a failed batch is reported, and ends the sweep', async () => {
  const reported = Promise.withResolvers<unknown>();
  const removeBatch = () => Promise.reject(new Error('no database'));
  const sweeper = startSweeper({ removeBatch, onError: reported.resolve });
  expect(await reported.promise).toEqual(new Error('no database'));
  await sweeper.close();
});

test('close waits for the batch in progress, and starts no other', async () => {
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number>();
  let count = 0;
  const removeBatch = () => {
    count += 1;
    started.resolve();
    return ended.promise;
  };
  const sweeper = startSweeper({ removeBatch, onError });
  await started.promise;
  const closed = sweeper.close();
  ended.resolve(rowsPerBatch);
  await closed;
  expect(count).toBe(1);
});
