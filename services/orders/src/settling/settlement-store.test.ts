import type { Leased } from '@acme/postgres/leased-work';
import { expect, test } from 'vitest';
import type { Order } from '../order/order.ts';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettlementStore } from './settlement-store.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05Z');
const longLeaseMs = 3_600_000;

/** Opens a settlement store on a database with this many due orders. */
async function openSettlements(count: number) {
  const database = await openOrdersDatabase();
  const orders = createOrderStores(database.pool, { now, settleGraceMs: 0 });
  const placed = await Promise.all(Array.from({ length: count }, () => orders.place(newOrder())));
  const settlements = createSettlementStore(database.pool, now);
  return { ...database, orders, settlements, ids: placed.map(({ id }) => id) };
}

function idsOf(due: readonly Leased<Order>[]): string[] {
  return due.map(({ item }) => item.id).sort();
}

test('a batch settles each order once, even if it occurs twice', async () => {
  await using store = await openSettlements(2);
  const [first = '', second = ''] = store.ids;
  const rejection = { reason: 'OUT_OF_STOCK', items: [{ sku: 'A', description: 'none' }] } as const;
  const settled = await Promise.all([
    store.settlements.settle(first, { state: 'CONFIRMED' }),
    store.settlements.settle(second, { state: 'REJECTED', rejection, needsUndo: false }),
    store.settlements.settle(first, { state: 'CONFIRMED' }),
  ]);
  expect(settled).toMatchObject([
    { id: first, state: 'CONFIRMED', version: 2n, rejection: undefined },
    { id: second, state: 'REJECTED', version: 2n, rejection },
    { id: first, state: 'CONFIRMED', version: 2n },
  ]);
  const { rows } = await store.pool.query('SELECT state FROM order_events WHERE version = 2 ORDER BY state');
  expect(rows).toEqual([{ state: 'CONFIRMED' }, { state: 'REJECTED' }]);
  expect(await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs })).toEqual([]);
});

test('an order that a failover has lost cannot be settled, and others of its batch are', async () => {
  await using store = await openSettlements(2);
  const [lost = '', kept = ''] = store.ids;
  await store.pool.query('DELETE FROM orders WHERE id = $1', [lost]);
  const settled = await Promise.allSettled(
    store.ids.map((id) => store.settlements.settle(id, { state: 'CONFIRMED' })),
  );
  expect(settled).toMatchObject([
    { status: 'rejected', reason: { problem: { kind: 'ORDER_LOST', id: lost } } },
    { status: 'fulfilled', value: { id: kept, state: 'CONFIRMED' } },
  ]);
});

test('a late settlement changes nothing and returns the order as it is', async () => {
  await using store = await openSettlements(2);
  const [cancelledId = '', confirmedId = ''] = store.ids;
  const cancelled = await store.orders.cancel(cancelledId, 'alice', '', signal);
  const confirmed = await store.settlements.settle(confirmedId, { state: 'CONFIRMED' });
  const rejection = { reason: 'OUT_OF_STOCK', items: [] } as const;
  const late = await Promise.all([
    store.settlements.settle(cancelledId, { state: 'CONFIRMED' }),
    store.settlements.settle(confirmedId, { state: 'REJECTED', rejection, needsUndo: false }),
  ]);
  expect(late).toEqual([cancelled, confirmed]);
  const { rows } = await store.pool.query('SELECT state FROM order_events ORDER BY state');
  expect(rows.map(({ state }) => state)).toEqual(['CANCELLED', 'CONFIRMED', 'PENDING', 'PENDING']);
});

test('an order is not due during the grace period of the call that places it', async () => {
  await using store = await openSettlements(0);
  const orders = createOrderStores(store.pool, { now, settleGraceMs: longLeaseMs });
  const { id } = await orders.place(newOrder());
  expect(await store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs })).toEqual([]);
  await store.expediteAll();
  expect(idsOf(await store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs }))).toEqual([id]);
});

test('a cancelled order is due until its steps are marked as undone', async () => {
  await using store = await openSettlements(2);
  const [cancelled = '', confirmed = ''] = store.ids;
  await store.settlements.settle(confirmed, { state: 'CONFIRMED' });
  await store.orders.cancel(cancelled, 'alice', '', signal);
  const due = await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs });
  expect(due).toMatchObject([{ item: { id: cancelled, state: 'CANCELLED' } }]);
  await store.settlements.markUndone(cancelled);
  await store.expediteAll();
  expect(await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs })).toEqual([]);
});

test('markUndone does not settle a PENDING order', async () => {
  await using store = await openSettlements(1);
  const [id = ''] = store.ids;
  await store.settlements.markUndone(id);
  expect(idsOf(await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs }))).toEqual([id]);
});
