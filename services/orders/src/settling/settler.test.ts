import { createLogger } from '@acme/rpc/logging/log';
import { expect, test, vi } from 'vitest';
import type { Inventory } from '../inventory/inventory.ts';
import type { Order } from '../order/order.ts';
import { createOrderStore } from '../order/order-store.ts';
import { newOrder } from '../testing/new-order.ts';
import { openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettleOrder } from './settle-order.ts';
import { createSettlementStore, type SettlementStore } from './settlement-store.ts';
import { startSettler } from './settler.ts';

/** Of a caller that stays. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05Z');

/** A database, and a settler on it that is to be started. */
async function openParts(
  inventory: Partial<Inventory>,
  change?: (store: SettlementStore) => SettlementStore,
) {
  const database = await openOrdersDatabase();
  const settlements = createSettlementStore(database.pool, now);
  const store = change?.(settlements) ?? settlements;
  const whole: Inventory = {
    reserve: async () => ({ kind: 'RESERVED' }),
    release: async () => {},
    ...inventory,
  };
  const log = createLogger({ service: 'test', level: 'silent' });
  /** How many calls inventory may be asked; and what was not settled, with its attempts. */
  const circuit = { permits: Number.POSITIVE_INFINITY };
  const failed: { id: string; attempts: number }[] = [];
  const onFailed = ({ id }: Order, _cause: unknown, attempts: number) => void failed.push({ id, attempts });
  const settle = createSettleOrder({ inventory: whole, store, onUnsettled: onFailed });
  const start = () => {
    const permits = () => circuit.permits;
    const settler = startSettler({ store, settle, inventory: whole, permits, onUnsettled: onFailed, log });
    return { ...settler, [Symbol.asyncDispose]: settler.stop };
  };
  const unsettled = async () => {
    const { rows } = await database.pool.query<{ id: string }>(
      'SELECT id FROM orders WHERE settle_after IS NOT NULL',
    );
    return rows.map(({ id }) => id);
  };
  const orders = createOrderStore(database.pool, { now, settleGraceMs: 0 });
  return { ...database, orders, start, unsettled, circuit, failed };
}

async function eventually(assertion: () => Promise<void>): Promise<void> {
  await vi.waitFor(assertion, { timeout: 15_000, interval: 20 });
}

test('ensure all that a crash left is settled, more than one turn can take', async () => {
  const released: string[] = [];
  await using parts = await openParts({ release: async (id) => void released.push(id) });
  const placed = await Promise.all(Array.from({ length: 150 }, () => parts.orders.place(newOrder())));
  const cancelled = placed.slice(0, 20).map(({ id }) => id);
  await Promise.all(cancelled.map((id) => parts.orders.cancel(id, undefined, '', signal)));
  await using _settler = parts.start();
  await eventually(async () => expect(await parts.unsettled()).toEqual([]));
  expect(released.sort()).toEqual(cancelled.sort());
  const { rows } = await parts.pool.query('SELECT state, count(*) FROM orders GROUP BY state ORDER BY state');
  expect(rows).toEqual([
    { state: 'CANCELLED', count: 20n },
    { state: 'CONFIRMED', count: 130n },
  ]);
});

test('ensure a release that fails is tried again, and does not keep the others waiting', async () => {
  const failing = new Set<string>();
  const tried: string[] = [];
  await using parts = await openParts({
    release: async (id) => {
      tried.push(id);
      if (failing.has(id)) throw new Error('inventory is away');
    },
  });
  const [first, second] = await Promise.all([parts.orders.place(newOrder()), parts.orders.place(newOrder())]);
  for (const { id } of [first, second]) await parts.orders.cancel(id, undefined, '', signal);
  failing.add(first.id);
  await using settler = parts.start();
  await eventually(async () => expect(await parts.unsettled()).toEqual([first.id]));
  failing.clear();
  await parts.expediteAll();
  settler.wake();
  await eventually(async () => expect(await parts.unsettled()).toEqual([]));
  expect(tried.filter((id) => id === second.id)).toHaveLength(1);
  expect(parts.failed[0]).toEqual({ id: first.id, attempts: 1 });
});

const anHourMs = 3_600_000;

test('ensure orders that a busy inventory refuses do not wait for the end of their lease', async () => {
  const asked: string[] = [];
  const cause = new Error('the server is busy');
  await using parts = await openParts(
    { reserve: async (id) => (asked.push(id) === 1 ? { kind: 'UNKNOWN', cause } : { kind: 'RESERVED' }) },
    (store) => ({
      ...store,
      leaseDue: ({ limit }) => store.leaseDue({ limit, leaseMs: anHourMs }),
      releaseLeases: (due) => store.releaseLeases(due, { leaseMs: anHourMs }),
    }),
  );
  await Promise.all(Array.from({ length: 3 }, () => parts.orders.place(newOrder())));
  await using _settler = parts.start();
  await eventually(async () => expect(await parts.unsettled()).toEqual([]));
  expect(asked).toHaveLength(4);
});

test('ensure an inventory that is away is asked about one order at a time, which is no attempt', async () => {
  const asked: string[] = [];
  await using parts = await openParts({
    reserve: async (id) => {
      asked.push(id);
      parts.circuit.permits = 0;
      return { kind: 'UNKNOWN', cause: 'away' };
    },
  });
  const placed = await Promise.all(Array.from({ length: 20 }, () => parts.orders.place(newOrder())));
  parts.circuit.permits = 0;
  await using _settler = parts.start();
  for (let probes = 1; probes <= 3; probes++) {
    parts.circuit.permits = 1;
    await eventually(async () => expect(asked).toHaveLength(probes));
  }
  const { rows } = await parts.pool.query('SELECT sum(settle_attempts) AS attempts FROM orders');
  expect(rows).toEqual([{ attempts: 0n }]);
  expect(await parts.unsettled()).toHaveLength(placed.length);
});

test('ensure all that have waited for inventory are due at once when it is back, and do not overrun it', async () => {
  const asked: string[] = [];
  const answer = Promise.withResolvers<{ kind: 'RESERVED' }>();
  await using parts = await openParts({
    reserve: (id) => {
      asked.push(id);
      return answer.promise;
    },
  });
  await Promise.all(Array.from({ length: 100 }, () => parts.orders.place(newOrder())));
  await parts.pool.query(`UPDATE orders SET settle_after = now() + interval '1 h', settle_attempts = 2`);
  parts.circuit.permits = 0;
  await using _settler = parts.start();
  parts.circuit.permits = Infinity;
  await eventually(async () => expect(asked).not.toEqual([]));
  expect(asked.length).toBeLessThanOrEqual(8);
  answer.resolve({ kind: 'RESERVED' });
  await eventually(async () => expect(await parts.unsettled()).toEqual([]));
});

test('ensure a thousand orders that always fail do not keep a new one waiting', async () => {
  const bad = new Set<string>();
  await using parts = await openParts({
    reserve: async (id) => (bad.has(id) ? { kind: 'UNKNOWN', cause: 'a defect' } : { kind: 'RESERVED' }),
  });
  const failing = await Promise.all(Array.from({ length: 1000 }, () => parts.orders.place(newOrder())));
  for (const { id } of failing) bad.add(id);
  await parts.pool.query(`UPDATE orders SET settle_attempts = 100, settle_after = now() - interval '1 h'`);
  const { id } = await parts.orders.place(newOrder());
  const isNewDone = async () => !(await parts.unsettled()).includes(id);
  await using _settler = parts.start();
  await eventually(async () => expect(await isNewDone()).toBe(true));
  // All but one batch are still to be tried: it was not the last.
  expect(parts.failed.length).toBeLessThan(500);
});

test('ensure a settler that cannot look goes on looking', async () => {
  let failures = 3;
  await using parts = await openParts({}, (store) => ({
    ...store,
    leaseDue: async (options) => {
      if (failures-- > 0) throw new Error('the database is away');
      return await store.leaseDue(options);
    },
  }));
  await parts.orders.place(newOrder());
  await using settler = parts.start();
  await eventually(async () => {
    settler.wake();
    expect(await parts.unsettled()).toEqual([]);
  });
});

test('ensure stopping waits for what is under way, and takes nothing more', async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<{ kind: 'RESERVED' }>();
  await using parts = await openParts({
    reserve: () => {
      asked.resolve();
      return answer.promise;
    },
  });
  const underWay = await parts.orders.place(newOrder());
  await using settler = parts.start();
  await asked.promise;
  const later = await parts.orders.place(newOrder());
  const stopping = settler.stop();
  answer.resolve({ kind: 'RESERVED' });
  await stopping;
  expect(await parts.orders.get(underWay.id, undefined, signal)).toMatchObject({ state: 'CONFIRMED' });
  expect(await parts.unsettled()).toEqual([later.id]);
});

test('ensure an inventory that is too busy for most of a batch gets smaller ones', async () => {
  const limits: number[] = [];
  const cause = new Error('the server is busy');
  await using parts = await openParts({ reserve: async () => ({ kind: 'UNKNOWN', cause }) }, (store) => ({
    ...store,
    leaseDue: (options) => {
      limits.push(options.limit);
      return store.leaseDue(options);
    },
  }));
  await Promise.all(Array.from({ length: 80 }, () => parts.orders.place(newOrder())));
  await using _settler = parts.start();
  await eventually(async () => expect(limits.length).toBeGreaterThan(2));
  expect(limits.slice(0, 3)).toEqual([64, 8, 8]);
});
