import { expect, test, vi } from 'vitest';
import type { Order } from './order.ts';
import { createOrderStore } from './order-store.ts';
import { createSettlementStore } from './settlement-store.ts';
import { newOrder } from './testing/new-order.ts';
import { openOrdersDatabase } from './testing/orders-database.ts';

/** Of a caller that stays. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05Z');
const longLeaseMs = 3_600_000;

/** A store of settlements, with this many orders that are due. */
async function openSettlements(count: number) {
  const database = await openOrdersDatabase();
  const orders = createOrderStore(database.pool, { now, settleGraceMs: 0 });
  const placed = await Promise.all(Array.from({ length: count }, () => orders.place(newOrder())));
  const settlements = createSettlementStore(database.pool, now);
  return { ...database, orders, settlements, ids: placed.map(({ id }) => id) };
}

function idsOf(orders: readonly Order[]): string[] {
  return orders.map(({ id }) => id).sort();
}

test('ensure a batch settles each of its orders once, also one that comes twice', async () => {
  await using store = await openSettlements(2);
  const [first = '', second = ''] = store.ids;
  const rejection = { reason: 'OUT_OF_STOCK', items: [{ sku: 'A', description: 'none' }] } as const;
  const settled = await Promise.all([
    store.settlements.settle(first, { state: 'CONFIRMED' }),
    store.settlements.settle(second, { state: 'REJECTED', rejection }),
    store.settlements.settle(first, { state: 'CONFIRMED' }),
  ]);
  expect(settled).toMatchObject([
    { id: first, state: 'CONFIRMED', version: 2n, rejection: undefined },
    { id: second, state: 'REJECTED', version: 2n, rejection },
    { id: first, state: 'CONFIRMED', version: 2n },
  ]);
  const { rows } = await store.pool.query('SELECT state FROM order_events WHERE version = 2 ORDER BY state');
  expect(rows).toEqual([{ state: 'CONFIRMED' }, { state: 'REJECTED' }]);
  expect(await store.settlements.takeDue({ limit: 10, leaseMs: longLeaseMs })).toEqual([]);
});

test('ensure a late settlement changes nothing, and is answered with the order as it stands', async () => {
  await using store = await openSettlements(2);
  const [cancelledId = '', confirmedId = ''] = store.ids;
  const cancelled = await store.orders.cancel(cancelledId, 'alice', '', signal);
  const confirmed = await store.settlements.settle(confirmedId, { state: 'CONFIRMED' });
  const rejection = { reason: 'OUT_OF_STOCK', items: [] } as const;
  const late = await Promise.all([
    store.settlements.settle(cancelledId, { state: 'CONFIRMED' }),
    store.settlements.settle(confirmedId, { state: 'REJECTED', rejection }),
  ]);
  expect(late).toEqual([cancelled, confirmed]);
  expect(await store.settlements.current(cancelledId)).toEqual(cancelled);
  const { rows } = await store.pool.query('SELECT state FROM order_events ORDER BY state');
  expect(rows.map(({ state }) => state)).toEqual(['CANCELLED', 'CONFIRMED', 'PENDING', 'PENDING']);
});

test('ensure no order is given to two settlers within its lease', async () => {
  await using store = await openSettlements(40);
  const replicas = Array.from({ length: 4 }, () => createSettlementStore(store.pool, now));
  const taken = await Promise.all(
    replicas.map((settlements) => settlements.takeDue({ limit: 15, leaseMs: longLeaseMs })),
  );
  const rest = await store.settlements.takeDue({ limit: 100, leaseMs: longLeaseMs });
  expect(idsOf([...taken.flat(), ...rest])).toEqual(store.ids.toSorted());
  for (const orders of taken) expect(orders.length).toBeLessThanOrEqual(15);
  expect(await store.settlements.takeDue({ limit: 100, leaseMs: longLeaseMs })).toEqual([]);
});

test('ensure an order is given again once its lease is over, with one attempt more', async () => {
  await using store = await openSettlements(1);
  expect(await store.settlements.takeDue({ limit: 10, leaseMs: 1 })).toHaveLength(1);
  await vi.waitFor(async () => {
    expect(await store.settlements.takeDue({ limit: 10, leaseMs: longLeaseMs })).toHaveLength(1);
  }, 10_000);
  const { rows } = await store.pool.query('SELECT settle_attempts FROM orders');
  expect(rows).toEqual([{ settle_attempts: 2 }]);
});

test('ensure the order that has been due for longest is given first', async () => {
  await using store = await openSettlements(3);
  const [, oldest] = store.ids;
  await store.pool.query(`UPDATE orders SET settle_after = now() - interval '1 h' WHERE id = $1`, [oldest]);
  const [first] = await store.settlements.takeDue({ limit: 1, leaseMs: longLeaseMs });
  expect(first?.id).toBe(oldest);
});

test('ensure an order is left to the call that places it for its time of grace', async () => {
  await using store = await openSettlements(0);
  const orders = createOrderStore(store.pool, { now, settleGraceMs: longLeaseMs });
  const { id } = await orders.place(newOrder());
  expect(await store.settlements.takeDue({ limit: 1, leaseMs: longLeaseMs })).toEqual([]);
  await store.makeAllDue();
  expect(idsOf(await store.settlements.takeDue({ limit: 1, leaseMs: longLeaseMs }))).toEqual([id]);
});

test('ensure a cancelled order owes a release until it is marked as done', async () => {
  await using store = await openSettlements(2);
  const [cancelled = '', confirmed = ''] = store.ids;
  await store.settlements.settle(confirmed, { state: 'CONFIRMED' });
  await store.orders.cancel(cancelled, 'alice', '', signal);
  const due = await store.settlements.takeDue({ limit: 10, leaseMs: longLeaseMs });
  expect(due).toMatchObject([{ id: cancelled, state: 'CANCELLED' }]);
  await store.settlements.markReleased(cancelled);
  await store.makeAllDue();
  expect(await store.settlements.takeDue({ limit: 10, leaseMs: longLeaseMs })).toEqual([]);
});

test('ensure a mark that is late does not settle an order that is still PENDING', async () => {
  await using store = await openSettlements(1);
  const [id = ''] = store.ids;
  await store.settlements.markReleased(id);
  expect(idsOf(await store.settlements.takeDue({ limit: 10, leaseMs: longLeaseMs }))).toEqual([id]);
});
