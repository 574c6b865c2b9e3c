import { describe, expect, test } from 'vitest';
import type { Inventory, ReserveOutcome } from '../inventory/inventory.ts';
import type { Order } from '../order/order.ts';
import { createOrderStore } from '../order/order-store.ts';
import { newOrder } from '../testing/new-order.ts';
import { openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettleOrder } from './settle-order.ts';
import { createSettlementStore, type SettlementStore } from './settlement-store.ts';

/** Of a caller that stays. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05Z');
const deadlineMs = 1000;
const options = { deadlineMs, attempts: 3 };

/** An inventory that answers every reserve with this, when it has been asked. */
function answering(answer: () => ReserveOutcome | Promise<ReserveOutcome>) {
  const asked: Parameters<Inventory['reserve']>[] = [];
  const inventory: Inventory = {
    reserve: async (...question) => {
      asked.push(question);
      return await answer();
    },
    release: async () => {},
  };
  return { inventory, asked };
}

/** A PENDING order in a database, and what is heard of orders that stay so. */
async function openPending() {
  const database = await openOrdersDatabase();
  const orders = createOrderStore(database.pool, { now, settleGraceMs: 0 });
  const placed = newOrder();
  const order = await orders.place(placed);
  const pending: [Order, unknown, number][] = [];
  const onUnsettled = (...heard: [Order, unknown, number]) => pending.push(heard);
  return {
    ...database,
    orders,
    placed,
    order,
    pending,
    onUnsettled,
    store: createSettlementStore(database.pool, now),
  };
}

const rejection = { reason: 'SKU_NOT_FOUND', items: [{ sku: 'A', description: 'unknown' }] } as const;

describe('what inventory says', () => {
  test('ensure RESERVED confirms the order', async () => {
    await using parts = await openPending();
    const { inventory, asked } = answering(() => ({ kind: 'RESERVED' }));
    const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
    expect(settled).toMatchObject({ id: parts.order.id, state: 'CONFIRMED' });
    expect(asked).toEqual([[parts.order.id, parts.order.lines, { deadlineMs }]]);
    expect(await parts.orders.get(parts.order.id, undefined, signal)).toEqual(settled);
  });

  test('ensure REFUSED rejects it, for the reason that was given', async () => {
    await using parts = await openPending();
    const { inventory } = answering(() => ({ kind: 'REFUSED', rejection }));
    const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
    expect(settled).toMatchObject({ state: 'REJECTED', rejection });
    expect(await parts.orders.get(parts.order.id, undefined, signal)).toEqual(settled);
  });

  test('ensure UNKNOWN leaves it PENDING, and says why', async () => {
    await using parts = await openPending();
    const cause = new Error('nobody there');
    const { inventory } = answering(() => ({ kind: 'UNKNOWN', cause }));
    const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
    expect(settled).toEqual(parts.order);
    expect(parts.pending).toEqual([[parts.order, cause, 3]]);
    expect(await parts.store.leaseDue({ limit: 1, leaseMs: 1 })).toHaveLength(1);
  });

  test('a rejected order that owes a release is given to the settler until the release is done', async () => {
    await using parts = await openPending();
    const invalid = { reason: 'RESERVATION_INVALID', items: [] } as const;
    const { inventory } = answering(() => ({ kind: 'REFUSED', rejection: invalid, needsRelease: true }));
    const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
    expect(settled).toMatchObject({ state: 'REJECTED', rejection: invalid });
    expect(await parts.store.leaseDue({ limit: 1, leaseMs: 1 })).toMatchObject([
      { order: { id: parts.order.id } },
    ]);
    await parts.store.markReleased(parts.order.id);
    await parts.expediteAll();
    expect(await parts.store.leaseDue({ limit: 1, leaseMs: 1 })).toEqual([]);
  });

  const released = { kind: 'REFUSED', rejection: { reason: 'RESERVATION_RELEASED', items: [] } } as const;

  test('an order whose reservation is released is REJECTED, and a repeated PlaceOrder finds it so', async () => {
    await using parts = await openPending();
    const { inventory } = answering(() => released);
    const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
    expect(settled).toMatchObject({ state: 'REJECTED', rejection: released.rejection });
    expect(await parts.orders.place(parts.placed)).toEqual(settled);
    await parts.expediteAll();
    expect(await parts.store.leaseDue({ limit: 1, leaseMs: 1 })).toEqual([]);
  });

  test.each([{ kind: 'RESERVED' }, released, { ...released, needsRelease: true }] as const)(
    'an order that was cancelled during the reserve stays CANCELLED, with the answer %j',
    async (answer) => {
      await using parts = await openPending();
      const { inventory } = answering(async () => {
        await parts.orders.cancel(parts.order.id, undefined, '', signal);
        return answer;
      });
      const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
      expect(settled).toMatchObject({ state: 'CANCELLED', version: 2n });
      expect(await parts.orders.get(parts.order.id, undefined, signal)).toEqual(settled);
    },
  );
});

test('ensure an answer that cannot be written down leaves the order PENDING, and says why', async () => {
  await using parts = await openPending();
  const lost = new Error('connection lost');
  const store: Pick<SettlementStore, 'settle'> = { settle: () => Promise.reject(lost) };
  const { inventory } = answering(() => ({ kind: 'RESERVED' }));
  expect(await createSettleOrder({ ...parts, inventory, store })(parts.order, options)).toEqual(parts.order);
  expect(parts.pending).toEqual([[parts.order, lost, 3]]);
});
