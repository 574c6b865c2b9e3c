import { randomUUID } from 'node:crypto';
import { inSpan } from '@acme/rpc/telemetry';
import { collectTelemetry } from '@acme/rpc/testing';
import { describe, expect, test } from 'vitest';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';
import { OrderError } from './order.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05.678Z');
const options = { now, settleGraceMs: 60_000 };
const otherLines = [{ sku: 'B', quantity: 2 }];

// Calls of the same turn of the event loop form one batch.
describe('a batch', () => {
  test('a request that occurs twice in a batch makes one order', async () => {
    await using database = await openOrdersDatabase();
    const store = createOrderStores(database.pool, options);
    const [first, other, second] = [newOrder({ requestId: randomUUID() }), newOrder(), newOrder()];
    const again = { ...second, requestId: first.requestId };
    const placed = await Promise.all([first, other, again].map(store.place));
    expect(placed.map(({ id }) => id)).toEqual([first.id, other.id, first.id]);
    expect(placed[2]).toEqual(placed[0]);
    expect(placed[0]).toMatchObject({ state: 'PENDING', version: 1n, createTime: now(), updateTime: now() });
    expect(await store.get(first.id, undefined, signal)).toEqual(placed[0]);
    expect(await store.get(again.id, undefined, signal)).toBeUndefined();
  });

  test('only the request that reuses a request_id is rejected', async () => {
    await using database = await openOrdersDatabase();
    const store = createOrderStores(database.pool, options);
    const first = newOrder();
    const reused = newOrder({ requestId: first.requestId, lines: otherLines });
    const theirs = newOrder({ requestId: first.requestId, lines: otherLines, customerId: 'bob' });
    const outcomes = await Promise.allSettled([first, reused, theirs].map(store.place));
    expect(outcomes).toMatchObject([
      { status: 'fulfilled', value: { id: first.id } },
      { status: 'rejected', reason: expect.any(OrderError) },
      { status: 'fulfilled', value: { id: theirs.id, lines: otherLines } },
    ]);
    expect(outcomes[1]).toMatchObject({
      reason: { problem: { kind: 'REQUEST_ID_REUSED', requestId: first.requestId, orderId: first.id } },
    });
  });

  test('a later repeat returns the current state of the order', async () => {
    await using database = await openOrdersDatabase();
    const store = createOrderStores(database.pool, options);
    const first = newOrder();
    await store.place(first);
    const cancelled = await store.cancel(first.id, 'alice', '', signal);
    const repeat = newOrder({ requestId: first.requestId });
    const [joined, fresh] = await Promise.all([store.place(repeat), store.place(newOrder())]);
    expect(joined).toEqual(cancelled);
    expect(fresh.state).toBe('PENDING');
  });
});

test('the span of a call has the id of the order that the call has placed or repeated', async () => {
  await using telemetry = collectTelemetry();
  await using database = await openOrdersDatabase();
  const store = createOrderStores(database.pool, options);
  const first = newOrder();
  const calls = [first, newOrder({ requestId: first.requestId })];
  for (const call of calls) await inSpan('call', {}, () => store.place(call));
  const spans = telemetry.spans.filter(({ name }) => name === 'call');
  expect(spans.map(({ attributes }) => attributes)).toEqual([
    { 'order.id': first.id },
    { 'order.id': first.id },
  ]);
});

test('two replicas that place the same requests concurrently make one order of each', async () => {
  await using database = await openOrdersDatabase();
  const replicas = [createOrderStores(database.pool, options), createOrderStores(database.pool, options)];
  const requestIds = Array.from({ length: 50 }, () => randomUUID());
  const [first, second] = await Promise.all(
    replicas.map((store, index) =>
      Promise.all(
        (index ? requestIds.toReversed() : requestIds).map((requestId) =>
          store.place(newOrder({ requestId })),
        ),
      ),
    ),
  );
  expect(second?.toReversed().map(({ id }) => id)).toEqual(first?.map(({ id }) => id));
  const { rows } = await database.pool.query('SELECT count(*) FROM orders');
  expect(rows).toEqual([{ count: 50n }]);
});
