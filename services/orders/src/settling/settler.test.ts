import { createLogger } from '@acme/rpc/logging';
import { collectTelemetry } from '@acme/rpc/testing';
import { expect, test, vi } from 'vitest';
import type { Order } from '../order/order.ts';
import type { FakeStep } from '../testing/fake-step.ts';
import { createFakeStep } from '../testing/fake-step.ts';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettleOrder } from './settle-order.ts';
import { createSettlementStore } from './settlement-store.ts';
import { startSettler } from './settler.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05Z');

/** Opens a database. `start` starts a settler on it. */
async function openParts(...steps: readonly FakeStep[]) {
  const database = await openOrdersDatabase();
  const store = createSettlementStore(database.pool, now);
  const failed: { id: string; attempts: number }[] = [];
  const onUnsettled = ({ id }: Order, _cause: unknown, attempts: number) =>
    void failed.push({ id, attempts });
  const nowMs = () => performance.now();
  const settle = createSettleOrder({ steps, store, onUnsettled, nowMs });
  const log = createLogger({ service: 'test', level: 'silent' });
  const start = () => {
    const settler = startSettler({ store, settle, steps, onUnsettled, log });
    return { ...settler, [Symbol.asyncDispose]: settler.stop };
  };
  const unsettled = async () => {
    const { rows } = await database.pool.query<{ id: string }>(
      'SELECT id FROM orders WHERE settle_after IS NOT NULL',
    );
    return rows.map(({ id }) => id);
  };
  const orders = createOrderStores(database.pool, { now, settleGraceMs: 0 });
  return { ...database, orders, start, unsettled, failed };
}

async function eventually(assertion: () => Promise<void>): Promise<void> {
  await vi.waitFor(assertion, { timeout: 15_000, interval: 20 });
}

test('all orders that a crash left unsettled are settled, and cancelled ones are undone', async () => {
  const step = createFakeStep();
  await using parts = await openParts(step);
  const placed = await Promise.all(Array.from({ length: 150 }, () => parts.orders.place(newOrder())));
  const cancelled = placed.slice(0, 20).map(({ id }) => id);
  await Promise.all(cancelled.map((id) => parts.orders.cancel(id, undefined, '', signal)));
  await using _settler = parts.start();
  await eventually(async () => expect(await parts.unsettled()).toEqual([]));
  expect(step.undone.sort()).toEqual(cancelled.sort());
  const { rows } = await parts.pool.query('SELECT state, count(*) FROM orders GROUP BY state ORDER BY state');
  expect(rows).toEqual([
    { state: 'CANCELLED', count: 20n },
    { state: 'CONFIRMED', count: 130n },
  ]);
});

test("the span of an attempt has the order's id, and the state that the attempt led to", async () => {
  await using telemetry = collectTelemetry();
  let isDown = true;
  const step = createFakeStep({
    do: async () => (isDown ? { kind: 'UNKNOWN', cause: new Error('unavailable') } : { kind: 'DONE' }),
  });
  await using parts = await openParts(step);
  const { id } = await parts.orders.place(newOrder());
  await using settler = parts.start();
  await eventually(async () => expect(parts.failed).toHaveLength(1));
  isDown = false;
  await parts.expediteAll();
  settler.wake();
  await eventually(async () => expect(await parts.unsettled()).toEqual([]));
  await settler.stop();
  const attempts = telemetry.spans.filter(({ name }) => name === 'settle order');
  expect(attempts.map(({ attributes }) => attributes)).toEqual([
    { 'order.id': id, 'order.state': 'PENDING' },
    { 'order.id': id, 'order.state': 'CONFIRMED' },
  ]);
});

test('an undo is repeated until every step has confirmed it', async () => {
  let isDown = true;
  const first = createFakeStep();
  const second = createFakeStep({
    undo: async () => {
      if (isDown) throw new Error('the service is unavailable');
    },
  });
  await using parts = await openParts(first, second);
  const { id } = await parts.orders.place(newOrder());
  await parts.orders.cancel(id, undefined, '', signal);
  await using settler = parts.start();
  await eventually(async () => expect(parts.failed).toEqual([{ id, attempts: 1 }]));
  expect(await parts.unsettled()).toEqual([id]);
  isDown = false;
  await parts.expediteAll();
  settler.wake();
  await eventually(async () => expect(await parts.unsettled()).toEqual([]));
  expect([first, second].map(({ undone }) => undone.length)).toEqual([2, 2]);
});

test('when a later step refuses an order, the settler undoes the earlier one', async () => {
  const first = createFakeStep();
  const rejection = { reason: 'OUT_OF_STOCK', items: [] } as const;
  const second = createFakeStep({ do: async () => ({ kind: 'REFUSED', rejection }) });
  await using parts = await openParts(first, second);
  const { id } = await parts.orders.place(newOrder());
  await using _settler = parts.start();
  await eventually(async () => expect(await parts.unsettled()).toEqual([]));
  expect(await parts.orders.get(id, undefined, signal)).toMatchObject({ state: 'REJECTED', rejection });
  expect(first.undone).toEqual([id]);
});

test('stop waits for the attempts in progress, and leases no more orders', async () => {
  const started = Promise.withResolvers<void>();
  const outcome = Promise.withResolvers<{ kind: 'DONE' }>();
  const step = createFakeStep({
    do: () => {
      started.resolve();
      return outcome.promise;
    },
  });
  await using parts = await openParts(step);
  const inProgress = await parts.orders.place(newOrder());
  await using settler = parts.start();
  await started.promise;
  const later = await parts.orders.place(newOrder());
  const stopping = settler.stop();
  outcome.resolve({ kind: 'DONE' });
  await stopping;
  expect(await parts.orders.get(inProgress.id, undefined, signal)).toMatchObject({ state: 'CONFIRMED' });
  expect(await parts.unsettled()).toEqual([later.id]);
});
