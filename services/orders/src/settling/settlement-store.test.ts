import { expect, test, vi } from 'vitest';
import { createOrderStore } from '../order/order-store.ts';
import { newOrder } from '../testing/new-order.ts';
import { openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettlementStore, type DueOrder } from './settlement-store.ts';

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

function idsOf(due: readonly DueOrder[]): string[] {
  return due.map(({ order }) => order.id).sort();
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
  expect(await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs })).toEqual([]);
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
  const { rows } = await store.pool.query('SELECT state FROM order_events ORDER BY state');
  expect(rows.map(({ state }) => state)).toEqual(['CANCELLED', 'CONFIRMED', 'PENDING', 'PENDING']);
});

test('ensure no order is given to two settlers within its lease', async () => {
  await using store = await openSettlements(40);
  const replicas = Array.from({ length: 4 }, () => createSettlementStore(store.pool, now));
  const taken = await Promise.all(
    replicas.map((settlements) => settlements.leaseDue({ limit: 15, leaseMs: longLeaseMs })),
  );
  const rest = await store.settlements.leaseDue({ limit: 100, leaseMs: longLeaseMs });
  expect(idsOf([...taken.flat(), ...rest])).toEqual(store.ids.toSorted());
  for (const orders of taken) expect(orders.length).toBeLessThanOrEqual(15);
  expect(await store.settlements.leaseDue({ limit: 100, leaseMs: longLeaseMs })).toEqual([]);
});

test('ensure an order is given again once its lease is over, with one attempt more', async () => {
  await using store = await openSettlements(1);
  const take = () => store.settlements.leaseDue({ limit: 10, leaseMs: 1 });
  expect(await take()).toMatchObject([{ attempts: 1 }]);
  await vi.waitFor(async () => expect(await take()).toMatchObject([{ attempts: 2 }]), 10_000);
});

/** For how long each order is out of everybody's hands, in ms beyond its lease. */
async function waitsAfter(attempts: number): Promise<number[]> {
  await using store = await openSettlements(60);
  await store.pool.query('UPDATE orders SET settle_attempts = $1', [attempts]);
  await store.settlements.leaseDue({ limit: 70, leaseMs: longLeaseMs });
  const { rows } = await store.pool.query<{ wait: number }>(
    `SELECT extract(epoch FROM settle_after - now())::float8 * 1000 AS wait FROM orders`,
  );
  // Some of the lease has passed by now.
  return rows.map(({ wait }) => wait - longLeaseMs);
}

test.each([
  [0, 250],
  [3, 2000],
  [10, 8_000],
  [1_000_000, 8_000],
])('ensure an order that failed %i times waits up to %i ms, spread all over', async (attempts, longestMs) => {
  const waits = await waitsAfter(attempts);
  expect(Math.max(...waits)).toBeLessThanOrEqual(longestMs);
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(longestMs / 2);
});

test('ensure an order that is given back is due again before its lease is over', async () => {
  await using store = await openSettlements(1);
  const due = await store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs });
  await store.settlements.releaseLeases(due, { leaseMs: longLeaseMs });
  const take = () => store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs });
  await vi.waitFor(async () => expect(await take()).toMatchObject([{ attempts: 2 }]), 10_000);
});

test('ensure an order that somebody else has by now, or that is settled, is not given back', async () => {
  await using store = await openSettlements(2);
  const [settled = ''] = store.ids;
  const before = await store.settlements.leaseDue({ limit: 2, leaseMs: longLeaseMs });
  await store.settlements.settle(settled, { state: 'CONFIRMED' });
  await store.expediteAll();
  const taken = await store.settlements.leaseDue({ limit: 2, leaseMs: longLeaseMs });
  await store.settlements.releaseLeases(before, { leaseMs: 2 * longLeaseMs });
  expect(taken).toHaveLength(1);
  expect(await store.settlements.leaseDue({ limit: 2, leaseMs: longLeaseMs })).toEqual([]);
});

test('ensure orders that fail for long leave room to the others, and get what they do not want', async () => {
  await using store = await openSettlements(300);
  const failing = new Set(store.ids.slice(0, 200));
  await store.pool.query(
    `UPDATE orders SET settle_attempts = 100, settle_after = now() - interval '1 h' WHERE id = ANY ($1)`,
    [[...failing]],
  );
  const take = () => store.settlements.leaseDue({ limit: 64, leaseMs: longLeaseMs });
  const taken = [await take(), await take(), await take()];
  const ofFailing = taken.map((due) => due.filter(({ order }) => failing.has(order.id)).length);
  expect(taken.map((due) => due.length)).toEqual([64, 64, 64]);
  expect(ofFailing).toEqual([8, 20, 64]);
});

test('ensure a probe is one order, due or not, and no attempt', async () => {
  await using store = await openSettlements(2);
  const [soonest, later] = store.ids;
  const due = `UPDATE orders SET settle_after = now() + $2 * interval '1 h', settle_attempts = $3 WHERE id = $1`;
  await store.pool.query(due, [soonest, 1, 5]);
  await store.pool.query(due, [later, 2, 0]);
  const probe = () => store.settlements.leaseProbe({ leaseMs: 3 * longLeaseMs });
  expect(await probe()).toMatchObject([{ order: { id: soonest }, attempts: 5 }]);
  expect(await probe()).toMatchObject([{ order: { id: later }, attempts: 0 }]);
});

test('ensure a probe is an order that fails for long only where there is no other', async () => {
  await using store = await openSettlements(2);
  const [failing, fresh = ''] = store.ids;
  await store.pool.query('UPDATE orders SET settle_attempts = 100 WHERE id = $1', [failing]);
  const probe = () => store.settlements.leaseProbe({ leaseMs: longLeaseMs });
  expect(await probe()).toMatchObject([{ order: { id: fresh } }]);
  await store.settlements.settle(fresh, { state: 'CONFIRMED' });
  expect(await probe()).toMatchObject([{ order: { id: failing } }]);
});

test('ensure what waits can be made due, but for what fails for long', async () => {
  await using store = await openSettlements(3);
  const [failing = '', ...others] = store.ids;
  await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs });
  await store.pool.query('UPDATE orders SET settle_attempts = 100 WHERE id = $1', [failing]);
  await store.settlements.expedite();
  expect(idsOf(await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs }))).toEqual(others.sort());
});

test('ensure the order that has been due for longest is given first', async () => {
  await using store = await openSettlements(3);
  const [, oldest] = store.ids;
  await store.pool.query(`UPDATE orders SET settle_after = now() - interval '1 h' WHERE id = $1`, [oldest]);
  const [first] = await store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs });
  expect(first?.order.id).toBe(oldest);
});

test('ensure an order is left to the call that places it for its time of grace', async () => {
  await using store = await openSettlements(0);
  const orders = createOrderStore(store.pool, { now, settleGraceMs: longLeaseMs });
  const { id } = await orders.place(newOrder());
  expect(await store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs })).toEqual([]);
  await store.expediteAll();
  expect(idsOf(await store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs }))).toEqual([id]);
});

test('ensure a cancelled order owes a release until it is marked as done', async () => {
  await using store = await openSettlements(2);
  const [cancelled = '', confirmed = ''] = store.ids;
  await store.settlements.settle(confirmed, { state: 'CONFIRMED' });
  await store.orders.cancel(cancelled, 'alice', '', signal);
  const due = await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs });
  expect(due).toMatchObject([{ order: { id: cancelled, state: 'CANCELLED' } }]);
  await store.settlements.markReleased(cancelled);
  await store.expediteAll();
  expect(await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs })).toEqual([]);
});

test('ensure a mark that is late does not settle an order that is still PENDING', async () => {
  await using store = await openSettlements(1);
  const [id = ''] = store.ids;
  await store.settlements.markReleased(id);
  expect(idsOf(await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs }))).toEqual([id]);
});
