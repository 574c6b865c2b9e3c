import type { CircuitState } from '@acme/rpc/client';
import { createLogger } from '@acme/rpc/logging';
import { expect, test, vi } from 'vitest';
import type { Inventory } from '../inventory/inventory.ts';
import type { Order } from '../order/order.ts';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettleOrder } from './settle-order.ts';
import { createSettlementStore } from './settlement-store.ts';
import { startSettler } from './settler.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05Z');

/** Opens a database. `start` starts a settler on it. */
async function openParts(inventory: Partial<Inventory>) {
  const database = await openOrdersDatabase();
  const store = createSettlementStore(database.pool, now);
  const whole: Inventory = {
    reserve: async () => ({ kind: 'RESERVED' }),
    release: async () => {},
    ...inventory,
  };
  const log = createLogger({ service: 'test', level: 'silent' });
  const circuit: { state: CircuitState } = { state: 'closed' };
  const failed: { id: string; attempts: number }[] = [];
  const onFailed = ({ id }: Order, _cause: unknown, attempts: number) => void failed.push({ id, attempts });
  const settle = createSettleOrder({ inventory: whole, store, onUnsettled: onFailed });
  const start = () => {
    const circuitState = () => circuit.state;
    const settler = startSettler({
      store,
      settle,
      inventory: whole,
      circuitState,
      onUnsettled: onFailed,
      log,
    });
    return { ...settler, [Symbol.asyncDispose]: settler.stop };
  };
  const unsettled = async () => {
    const { rows } = await database.pool.query<{ id: string }>(
      'SELECT id FROM orders WHERE settle_after IS NOT NULL',
    );
    return rows.map(({ id }) => id);
  };
  const orders = createOrderStores(database.pool, { now, settleGraceMs: 0 });
  return { ...database, orders, start, unsettled, circuit, failed };
}

async function eventually(assertion: () => Promise<void>): Promise<void> {
  await vi.waitFor(assertion, { timeout: 15_000, interval: 20 });
}

test('all orders that a crash left unsettled are settled, over several batches', async () => {
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

test('a failed release is retried, and does not delay others', async () => {
  const failing = new Set<string>();
  const released: string[] = [];
  await using parts = await openParts({
    release: async (id) => {
      released.push(id);
      if (failing.has(id)) throw new Error('inventory is unavailable');
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
  expect(released.filter((id) => id === second.id)).toHaveLength(1);
  expect(parts.failed[0]).toEqual({ id: first.id, attempts: 1 });
});

test('an unavailable inventory gets one probe at a time, which does not count as an attempt', async () => {
  const reserves: string[] = [];
  await using parts = await openParts({
    reserve: async (id) => {
      reserves.push(id);
      parts.circuit.state = 'open';
      return { kind: 'UNKNOWN', cause: 'unavailable' };
    },
  });
  const placed = await Promise.all(Array.from({ length: 20 }, () => parts.orders.place(newOrder())));
  parts.circuit.state = 'open';
  await using _settler = parts.start();
  for (let probes = 1; probes <= 3; probes++) {
    parts.circuit.state = 'probe-due';
    await eventually(async () => expect(reserves).toHaveLength(probes));
  }
  const { rows } = await parts.pool.query('SELECT sum(settle_attempts) AS attempts FROM orders');
  expect(rows).toEqual([{ attempts: 0n }]);
  expect(await parts.unsettled()).toHaveLength(placed.length);
});

test('stop waits for the attempts in progress, and leases no more orders', async () => {
  const started = Promise.withResolvers<void>();
  const outcome = Promise.withResolvers<{ kind: 'RESERVED' }>();
  await using parts = await openParts({
    reserve: () => {
      started.resolve();
      return outcome.promise;
    },
  });
  const inProgress = await parts.orders.place(newOrder());
  await using settler = parts.start();
  await started.promise;
  const later = await parts.orders.place(newOrder());
  const stopping = settler.stop();
  outcome.resolve({ kind: 'RESERVED' });
  await stopping;
  expect(await parts.orders.get(inProgress.id, undefined, signal)).toMatchObject({ state: 'CONFIRMED' });
  expect(await parts.unsettled()).toEqual([later.id]);
});
