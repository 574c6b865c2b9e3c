import { expect, test } from 'vitest';
import type { Order } from '../order/order.ts';
import { createFakeStep } from '../testing/fake-step.ts';
import { circuitStateOf, undoAll } from './step.ts';

const order: Order = {
  id: 'id',
  customerId: 'alice',
  lines: [],
  state: 'CANCELLED',
  rejection: undefined,
  version: 2n,
  createTime: new Date(0),
  updateTime: new Date(0),
};

test('all steps are undone', async () => {
  const steps = [createFakeStep(), createFakeStep()];
  await undoAll(steps, order);
  expect(steps.map(({ undone }) => undone)).toEqual([['id'], ['id']]);
});

test('a step that cannot be undone does not keep the others from being undone, and fails the undo', async () => {
  const undo = () => Promise.reject(new Error('unavailable'));
  const slow = Promise.withResolvers<void>();
  const steps = [createFakeStep({ undo }), createFakeStep({ undo: () => slow.promise })];
  let isSettled = false;
  const undoing = undoAll(steps, order).finally(() => {
    isSettled = true;
  });
  expect(steps[1]?.undone).toEqual(['id']);
  expect(isSettled).toBe(false);
  slow.resolve();
  await expect(undoing).rejects.toThrow('unavailable');
});

test.each([
  [[], 'closed'],
  [['closed', 'closed'], 'closed'],
  [['closed', 'probe-due'], 'probe-due'],
  [['probe-due', 'open'], 'open'],
  [['open', 'closed'], 'open'],
] as const)('the circuits %j of the steps are together %s', (states, together) => {
  const steps = states.map((state) => createFakeStep({ circuitState: () => state }));
  expect(circuitStateOf(steps)).toBe(together);
});
