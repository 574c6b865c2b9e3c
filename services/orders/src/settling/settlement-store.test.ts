import { expect, test, vi } from 'vitest';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettlementStore, type DueOrder } from './settlement-store.ts';

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

function idsOf(due: readonly DueOrder[]): string[] {
  return due.map(({ order }) => order.id).sort();
}

test('a batch settles each order once, even if it occurs twice', async () => {
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

test('a late settlement changes nothing and returns the order as it is', async () => {
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

test('no two settlers lease the same order at a time', async () => {
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

test('an order is leased again after its lease has expired, with one more attempt', async () => {
  await using store = await openSettlements(1);
  const lease = () => store.settlements.leaseDue({ limit: 10, leaseMs: 1 });
  expect(await lease()).toMatchObject([{ attempts: 1 }]);
  await vi.waitFor(async () => expect(await lease()).toMatchObject([{ attempts: 2 }]), 10_000);
});

/** Returns the backoff of each of 60 orders after this many attempts, in ms. */
async function backoffsAfter(attempts: number): Promise<number[]> {
  await using store = await openSettlements(60);
  await store.pool.query('UPDATE orders SET settle_attempts = $1', [attempts]);
  await store.settlements.leaseDue({ limit: 70, leaseMs: longLeaseMs });
  const { rows } = await store.pool.query<{ wait: number }>(
    `SELECT extract(epoch FROM settle_after - now())::float8 * 1000 AS wait FROM orders`,
  );
  // Slightly less than the backoff, since some of the lease has passed.
  return rows.map(({ wait }) => wait - longLeaseMs);
}

test.each([
  [0, 250],
  [3, 2000],
  [10, 8_000],
  [1_000_000, 8_000],
])('the backoff after %i attempts is spread over up to %i ms', async (attempts, longestMs) => {
  const backoffs = await backoffsAfter(attempts);
  expect(Math.max(...backoffs)).toBeLessThanOrEqual(longestMs);
  expect(Math.max(...backoffs) - Math.min(...backoffs)).toBeGreaterThan(longestMs / 2);
});

test('an order whose lease is released is due again before the lease would have expired', async () => {
  await using store = await openSettlements(1);
  const due = await store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs });
  await store.settlements.releaseLeases(due, { leaseMs: longLeaseMs });
  const lease = () => store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs });
  await vi.waitFor(async () => expect(await lease()).toMatchObject([{ attempts: 2 }]), 10_000);
});

test('releaseLeases skips orders that are settled or leased by another settler', async () => {
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

test('persistent failures get a fixed share of a batch, and the capacity that other orders do not use', async () => {
  await using store = await openSettlements(300);
  const failing = new Set(store.ids.slice(0, 200));
  await store.pool.query(
    `UPDATE orders SET settle_attempts = 100, settle_after = now() - interval '1 h' WHERE id = ANY ($1)`,
    [[...failing]],
  );
  const lease = () => store.settlements.leaseDue({ limit: 64, leaseMs: longLeaseMs });
  const taken = [await lease(), await lease(), await lease()];
  const ofFailing = taken.map((due) => due.filter(({ order }) => failing.has(order.id)).length);
  expect(taken.map((due) => due.length)).toEqual([64, 64, 64]);
  expect(ofFailing).toEqual([8, 20, 64]);
});

test('a probe leases one order, due or not, and does not count as an attempt', async () => {
  await using store = await openSettlements(2);
  const [soonest, later] = store.ids;
  const due = `UPDATE orders SET settle_after = now() + $2 * interval '1 h', settle_attempts = $3 WHERE id = $1`;
  await store.pool.query(due, [soonest, 1, 5]);
  await store.pool.query(due, [later, 2, 0]);
  const probe = () => store.settlements.leaseProbe({ leaseMs: 3 * longLeaseMs });
  expect(await probe()).toMatchObject([{ order: { id: soonest }, attempts: 5 }]);
  expect(await probe()).toMatchObject([{ order: { id: later }, attempts: 0 }]);
});

test('a probe leases a persistent failure only if there is no other order', async () => {
  await using store = await openSettlements(2);
  const [failing, fresh = ''] = store.ids;
  await store.pool.query('UPDATE orders SET settle_attempts = 100 WHERE id = $1', [failing]);
  const probe = () => store.settlements.leaseProbe({ leaseMs: longLeaseMs });
  expect(await probe()).toMatchObject([{ order: { id: fresh } }]);
  await store.settlements.settle(fresh, { state: 'CONFIRMED' });
  expect(await probe()).toMatchObject([{ order: { id: failing } }]);
});

test('expedite makes waiting orders due, except for persistent failures', async () => {
  await using store = await openSettlements(3);
  const [failing = '', ...others] = store.ids;
  await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs });
  await store.pool.query('UPDATE orders SET settle_attempts = 100 WHERE id = $1', [failing]);
  await store.settlements.expedite();
  expect(idsOf(await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs }))).toEqual(others.sort());
});

test('the order that has been due for longest is leased first', async () => {
  await using store = await openSettlements(3);
  const [, oldest] = store.ids;
  await store.pool.query(`UPDATE orders SET settle_after = now() - interval '1 h' WHERE id = $1`, [oldest]);
  const [first] = await store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs });
  expect(first?.order.id).toBe(oldest);
});

test('an order is not due during the grace period of the call that places it', async () => {
  await using store = await openSettlements(0);
  const orders = createOrderStores(store.pool, { now, settleGraceMs: longLeaseMs });
  const { id } = await orders.place(newOrder());
  expect(await store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs })).toEqual([]);
  await store.expediteAll();
  expect(idsOf(await store.settlements.leaseDue({ limit: 1, leaseMs: longLeaseMs }))).toEqual([id]);
});

test('a cancelled order is due until its stock is marked as released', async () => {
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

test('markReleased does not settle a PENDING order', async () => {
  await using store = await openSettlements(1);
  const [id = ''] = store.ids;
  await store.settlements.markReleased(id);
  expect(idsOf(await store.settlements.leaseDue({ limit: 10, leaseMs: longLeaseMs }))).toEqual([id]);
});
