import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { planReadmission } from './readmission.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Plans the readmission of a replica after 5 s. */
function plan(isSilent: boolean) {
  const [readmit, reconnect] = [vi.fn(), vi.fn()];
  const cancel = planReadmission({
    ejectionMs: 5000,
    isSilent: async () => isSilent,
    readmit,
    reconnect,
  });
  return { calls: () => [readmit.mock.calls.length, reconnect.mock.calls.length], cancel };
}

test('a replica that answers is readmitted when its ejection has ended', async () => {
  const { calls } = plan(false);
  await vi.advanceTimersByTimeAsync(4999);
  expect(calls()).toEqual([0, 0]);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls()).toEqual([1, 0]);
});

test('a replica that does not answer gets a new connection at once', async () => {
  const { calls } = plan(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(calls()).toEqual([0, 1]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls()).toEqual([1, 1]);
});

test.each([true, false])(
  'a plan that is cancelled has no effect (the replica is silent: %s)',
  async (isSilent) => {
    const { calls, cancel } = plan(isSilent);
    cancel();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls()).toEqual([0, 0]);
  },
);
