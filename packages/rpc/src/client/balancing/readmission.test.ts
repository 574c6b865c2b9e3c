import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { planReadmission } from './readmission.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Plans a readmission after 5 s, of a replica whose checks have these results, and the last one from then on. */
function plan(...results: boolean[]) {
  const isAnswering = vi.fn(async () => (results.length > 1 ? results.shift() : results[0]) ?? false);
  const readmit = vi.fn();
  const cancel = planReadmission({ ejectionMs: 5000, isAnswering, readmit });
  return { isAnswering, readmit, cancel };
}

test('a replica that answers is readmitted when its ejection has ended, and checked once', async () => {
  const { isAnswering, readmit } = plan(true);
  await vi.advanceTimersByTimeAsync(4999);
  expect(readmit).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect([readmit.mock.calls.length, isAnswering.mock.calls.length]).toEqual([1, 1]);
});

test('a replica that does not answer is readmitted once it does, however long its ejection is', async () => {
  const { isAnswering, readmit } = plan(false, false, true);
  await vi.advanceTimersByTimeAsync(1999);
  expect(readmit).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect([readmit.mock.calls.length, isAnswering.mock.calls.length]).toEqual([1, 3]);
});

test('a replica that never answers is not readmitted', async () => {
  const { isAnswering, readmit } = plan(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([readmit.mock.calls.length, isAnswering.mock.calls.length]).toEqual([0, 61]);
});

test.each([true, false])(
  'a plan that is cancelled readmits nothing and checks nothing (answering: %s)',
  async (answering) => {
    const { isAnswering, readmit, cancel } = plan(answering, true);
    await vi.advanceTimersByTimeAsync(500);
    cancel();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([readmit.mock.calls.length, isAnswering.mock.calls.length]).toEqual([0, 1]);
  },
);

test('a plan that is cancelled during a check readmits nothing', async () => {
  const checked = Promise.withResolvers<boolean>();
  const readmit = vi.fn();
  planReadmission({ ejectionMs: 5000, isAnswering: () => checked.promise, readmit })();
  checked.resolve(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(readmit).not.toHaveBeenCalled();
});
