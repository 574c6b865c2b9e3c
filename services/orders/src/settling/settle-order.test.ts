import { describe, expect, test } from 'vitest';
import type { Step, StepOutcome } from '../steps/step.ts';
import { createFakeStep } from '../testing/fake-step.ts';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettleOrder, type OnUnsettled, type SettleOptions } from './settle-order.ts';
import { createSettlementStore, type SettlementStore } from './settlement-store.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05Z');
const options: SettleOptions = { deadlineMs: 1000, attempts: 3 };

function stepWith(outcome: StepOutcome) {
  return createFakeStep({ do: async () => outcome });
}

/** Places a PENDING order in a new database, and records orders that could not be settled. */
async function openPending() {
  const database = await openOrdersDatabase();
  const orders = createOrderStores(database.pool, { now, settleGraceMs: 0 });
  const placed = newOrder();
  const order = await orders.place(placed);
  const unsettled: Parameters<OnUnsettled>[] = [];
  const onUnsettled: OnUnsettled = (...call) => void unsettled.push(call);
  const store = createSettlementStore(database.pool, now);
  const clock = { ms: 0 };
  const nowMs = () => clock.ms;
  return {
    ...database,
    orders,
    placed,
    order,
    unsettled,
    store,
    clock,
    settle: (steps: readonly Step[], settlements: Pick<SettlementStore, 'settle'> = store) =>
      createSettleOrder({ steps, store: settlements, onUnsettled, nowMs })(order, options),
    /** Returns whether the order has work for the settler. */
    isDue: async () => {
      await database.expediteAll();
      return (await store.leaseDue({ limit: 1, leaseMs: 1 })).length > 0;
    },
  };
}

const rejection = { reason: 'SKU_NOT_FOUND', items: [{ sku: 'A', description: 'unknown' }] } as const;
const refused = { kind: 'REFUSED', rejection } as const;
const released = {
  kind: 'REFUSED',
  rejection: { reason: 'RESERVATION_RELEASED', items: [] },
  mayBeDone: true,
} as const;

describe('the outcome of the only step', () => {
  test('DONE confirms the order', async () => {
    await using parts = await openPending();
    const step = createFakeStep();
    const settled = await parts.settle([step]);
    expect(settled).toMatchObject({ id: parts.order.id, state: 'CONFIRMED' });
    expect(step.done).toEqual([{ order: parts.order, deadlineMs: 1000 }]);
    expect(await parts.orders.get(parts.order.id, undefined, signal)).toEqual(settled);
    expect(await parts.isDue()).toBe(false);
  });

  test('REFUSED rejects the order with the reason, and leaves nothing to undo', async () => {
    await using parts = await openPending();
    const settled = await parts.settle([stepWith(refused)]);
    expect(settled).toMatchObject({ state: 'REJECTED', rejection });
    expect(await parts.orders.get(parts.order.id, undefined, signal)).toEqual(settled);
    expect(await parts.isDue()).toBe(false);
  });

  test('UNKNOWN leaves the order PENDING and reports the cause', async () => {
    await using parts = await openPending();
    const cause = new Error('unavailable');
    const settled = await parts.settle([stepWith({ kind: 'UNKNOWN', cause })]);
    expect(settled).toEqual(parts.order);
    expect(parts.unsettled).toEqual([[parts.order, cause, 3]]);
    expect(await parts.isDue()).toBe(true);
  });

  test('an order that a failover has lost during the step is an error, not PENDING', async () => {
    await using parts = await openPending();
    const step = createFakeStep({
      do: async () => {
        await parts.pool.query('DELETE FROM orders');
        return { kind: 'DONE' };
      },
    });
    await expect(parts.settle([step])).rejects.toMatchObject({ problem: { kind: 'ORDER_LOST' } });
    expect(parts.unsettled).toEqual([]);
  });

  test('a refusal of a step that may be done is due until the undo is recorded', async () => {
    await using parts = await openPending();
    const settled = await parts.settle([stepWith(released)]);
    expect(settled).toMatchObject({ state: 'REJECTED', rejection: released.rejection });
    expect(await parts.orders.place(parts.placed)).toEqual(settled);
    expect(await parts.isDue()).toBe(true);
    await parts.store.markUndone(parts.order.id);
    expect(await parts.isDue()).toBe(false);
  });

  test.each([{ kind: 'DONE' }, refused, released] as const)(
    'an order that is cancelled during the step stays CANCELLED after the outcome %j',
    async (outcome) => {
      await using parts = await openPending();
      const step = createFakeStep({
        do: async () => {
          await parts.orders.cancel(parts.order.id, undefined, '', signal);
          return outcome;
        },
      });
      const settled = await parts.settle([step]);
      expect(settled).toMatchObject({ state: 'CANCELLED', version: 2n });
      expect(await parts.orders.get(parts.order.id, undefined, signal)).toEqual(settled);
      expect(await parts.isDue()).toBe(true);
    },
  );
});

describe('two steps', () => {
  test('an order is CONFIRMED when both are DONE, in turn and within one deadline', async () => {
    await using parts = await openPending();
    const first = createFakeStep({
      do: async () => {
        expect(second.done).toEqual([]);
        parts.clock.ms += 300.5;
        return { kind: 'DONE' };
      },
    });
    const second = createFakeStep();
    expect(await parts.settle([first, second])).toMatchObject({ state: 'CONFIRMED' });
    expect([first, second].map(({ done }) => done[0]?.deadlineMs)).toEqual([1000, 700]);
  });

  test('a refusal of the second one rejects the order, whose first step has to be undone', async () => {
    await using parts = await openPending();
    const settled = await parts.settle([createFakeStep(), stepWith(refused)]);
    expect(settled).toMatchObject({ state: 'REJECTED', rejection });
    expect(await parts.isDue()).toBe(true);
  });

  test.each([refused, { kind: 'UNKNOWN', cause: 'unavailable' } as const])(
    'the second one is not asked after %j of the first',
    async (outcome) => {
      await using parts = await openPending();
      const second = createFakeStep();
      await parts.settle([stepWith(outcome), second]);
      expect(second.done).toEqual([]);
    },
  );

  test('an unknown outcome of the second one leaves the order PENDING, and both are asked again', async () => {
    await using parts = await openPending();
    const first = createFakeStep();
    const second = stepWith({ kind: 'UNKNOWN', cause: 'unavailable' });
    await parts.settle([first, second]);
    expect(await parts.settle([first, second])).toMatchObject({ state: 'PENDING' });
    expect([first, second].map(({ done }) => done.length)).toEqual([2, 2]);
  });

  test('the second one is not asked when the first has used all of the time', async () => {
    await using parts = await openPending();
    const first = createFakeStep({
      do: async () => {
        parts.clock.ms += 1000;
        return { kind: 'DONE' };
      },
    });
    const second = createFakeStep({ name: 'payment' });
    expect(await parts.settle([first, second])).toMatchObject({ state: 'PENDING' });
    expect(second.done).toEqual([]);
    expect(parts.unsettled).toMatchObject([[{}, { message: 'no time is left for the step payment' }, 3]]);
  });
});

test('an outcome that cannot be stored leaves the order PENDING and reports the cause', async () => {
  await using parts = await openPending();
  const lost = new Error('connection lost');
  expect(await parts.settle([createFakeStep()], { settle: () => Promise.reject(lost) })).toEqual(parts.order);
  expect(parts.unsettled).toEqual([[parts.order, lost, 3]]);
});
