import { describe, expect, test } from 'vitest';
import type { Inventory, ReserveOutcome } from '../inventory/inventory.ts';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettleOrder, type OnUnsettled } from './settle-order.ts';
import { createSettlementStore, type SettlementStore } from './settlement-store.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05Z');
const deadlineMs = 1000;
const options = { deadlineMs, attempts: 3 };

/** Creates an inventory whose reserves have this outcome, and records them. */
function inventoryWith(outcome: () => ReserveOutcome | Promise<ReserveOutcome>) {
  const reserves: Parameters<Inventory['reserve']>[] = [];
  const inventory: Inventory = {
    reserve: async (...reserve) => {
      reserves.push(reserve);
      return await outcome();
    },
    release: async () => {},
  };
  return { inventory, reserves };
}

/** Places a PENDING order in a new database, and records orders that could not be settled. */
async function openPending() {
  const database = await openOrdersDatabase();
  const orders = createOrderStores(database.pool, { now, settleGraceMs: 0 });
  const placed = newOrder();
  const order = await orders.place(placed);
  const unsettled: Parameters<OnUnsettled>[] = [];
  const onUnsettled: OnUnsettled = (...call) => void unsettled.push(call);
  return {
    ...database,
    orders,
    placed,
    order,
    unsettled,
    onUnsettled,
    store: createSettlementStore(database.pool, now),
  };
}

const rejection = { reason: 'SKU_NOT_FOUND', items: [{ sku: 'A', description: 'unknown' }] } as const;

describe('the outcome', () => {
  test('RESERVED confirms the order', async () => {
    await using parts = await openPending();
    const { inventory, reserves } = inventoryWith(() => ({ kind: 'RESERVED' }));
    const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
    expect(settled).toMatchObject({ id: parts.order.id, state: 'CONFIRMED' });
    expect(reserves).toEqual([[parts.order.id, parts.order.lines, { deadlineMs }]]);
    expect(await parts.orders.get(parts.order.id, undefined, signal)).toEqual(settled);
  });

  test('REFUSED rejects the order with inventory’s reason', async () => {
    await using parts = await openPending();
    const { inventory } = inventoryWith(() => ({ kind: 'REJECTED', rejection }));
    const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
    expect(settled).toMatchObject({ state: 'REJECTED', rejection });
    expect(await parts.orders.get(parts.order.id, undefined, signal)).toEqual(settled);
  });

  test('UNKNOWN leaves the order PENDING and reports the cause', async () => {
    await using parts = await openPending();
    const cause = new Error('unavailable');
    const { inventory } = inventoryWith(() => ({ kind: 'UNKNOWN', cause }));
    const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
    expect(settled).toEqual(parts.order);
    expect(parts.unsettled).toEqual([[parts.order, cause, 3]]);
    expect(await parts.store.leaseDue({ limit: 1, leaseMs: 1 })).toHaveLength(1);
  });

  test('a rejected order that needs a release is due until the release is recorded', async () => {
    await using parts = await openPending();
    const invalid = { reason: 'RESERVATION_INVALID', items: [] } as const;
    const { inventory } = inventoryWith(() => ({ kind: 'REJECTED', rejection: invalid, needsRelease: true }));
    const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
    expect(settled).toMatchObject({ state: 'REJECTED', rejection: invalid });
    expect(await parts.store.leaseDue({ limit: 1, leaseMs: 1 })).toMatchObject([
      { item: { id: parts.order.id } },
    ]);
    await parts.store.markReleased(parts.order.id);
    await parts.expediteAll();
    expect(await parts.store.leaseDue({ limit: 1, leaseMs: 1 })).toEqual([]);
  });

  const released = { kind: 'REJECTED', rejection: { reason: 'RESERVATION_RELEASED', items: [] } } as const;

  test('an order whose reservation was released is REJECTED, and a repeated PlaceOrder returns it', async () => {
    await using parts = await openPending();
    const { inventory } = inventoryWith(() => released);
    const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
    expect(settled).toMatchObject({ state: 'REJECTED', rejection: released.rejection });
    expect(await parts.orders.place(parts.placed)).toEqual(settled);
    await parts.expediteAll();
    expect(await parts.store.leaseDue({ limit: 1, leaseMs: 1 })).toEqual([]);
  });

  test.each([{ kind: 'RESERVED' }, released, { ...released, needsRelease: true }] as const)(
    'an order that is cancelled during the reserve stays CANCELLED after the outcome %j',
    async (outcome) => {
      await using parts = await openPending();
      const { inventory } = inventoryWith(async () => {
        await parts.orders.cancel(parts.order.id, undefined, '', signal);
        return outcome;
      });
      const settled = await createSettleOrder({ ...parts, inventory })(parts.order, options);
      expect(settled).toMatchObject({ state: 'CANCELLED', version: 2n });
      expect(await parts.orders.get(parts.order.id, undefined, signal)).toEqual(settled);
    },
  );
});

test('an outcome that cannot be stored leaves the order PENDING and reports the cause', async () => {
  await using parts = await openPending();
  const lost = new Error('connection lost');
  const store: Pick<SettlementStore, 'settle'> = { settle: () => Promise.reject(lost) };
  const { inventory } = inventoryWith(() => ({ kind: 'RESERVED' }));
  expect(await createSettleOrder({ ...parts, inventory, store })(parts.order, options)).toEqual(parts.order);
  expect(parts.unsettled).toEqual([[parts.order, lost, 3]]);
});
