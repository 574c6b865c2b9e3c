import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newOrder } from '../testing/new-order.ts';
import { openOrdersDatabase } from '../testing/orders-database.ts';
import { OrderError } from './order.ts';
import { createOrderStore } from './order-store.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05.678Z');
const options = { now, settleGraceMs: 60_000 };
const otherLines = [{ sku: 'B', quantity: 2 }];

// Calls of the same turn of the event loop form one batch.
describe('a batch', () => {
  test('a request that occurs twice in a batch makes one order', async () => {
    await using database = await openOrdersDatabase();
    const store = createOrderStore(database.pool, options);
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
    const store = createOrderStore(database.pool, options);
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
    const store = createOrderStore(database.pool, options);
    const first = newOrder();
    await store.place(first);
    const cancelled = await store.cancel(first.id, 'alice', '', signal);
    const repeat = newOrder({ requestId: first.requestId });
    const [joined, fresh] = await Promise.all([store.place(repeat), store.place(newOrder())]);
    expect(joined).toEqual(cancelled);
    expect(fresh.state).toBe('PENDING');
  });
});

test('two replicas that place the same requests concurrently make one order of each', async () => {
  await using database = await openOrdersDatabase();
  const replicas = [createOrderStore(database.pool, options), createOrderStore(database.pool, options)];
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

test('another customer can neither read nor cancel an order', async () => {
  await using database = await openOrdersDatabase();
  const store = createOrderStore(database.pool, options);
  const { id } = await store.place(newOrder());
  expect(await store.get(id, 'bob', signal)).toBeUndefined();
  await expect(store.cancel(id, 'bob', '', signal)).rejects.toMatchObject({
    problem: { kind: 'ORDER_NOT_FOUND', id },
  });
  expect(await store.get(id, 'alice', signal)).toMatchObject({ id, state: 'PENDING' });
});

test('each change writes one event, and a cancel without effect writes none', async () => {
  await using database = await openOrdersDatabase();
  const store = createOrderStore(database.pool, options);
  const { id } = await store.place(newOrder());
  await Promise.all([
    store.cancel(id, 'alice', '', signal),
    store.cancel(id, 'alice', '', signal),
    store.cancel(id, 'alice', '', signal),
  ]);
  const { rows } = await database.pool.query(
    'SELECT order_id, version, state, event_time FROM order_events ORDER BY seq',
  );
  expect(rows).toEqual([
    { order_id: id, version: 1n, state: 'PENDING', event_time: now() },
    { order_id: id, version: 2n, state: 'CANCELLED', event_time: now() },
  ]);
});

test('reads use their own connections', async () => {
  await using database = await openOrdersDatabase();
  await using elsewhere = await openOrdersDatabase();
  const store = createOrderStore(database.pool, { ...options, readPool: elsewhere.pool });
  const order = await store.place(newOrder());
  // The read pool belongs to another, empty database.
  expect(await store.get(order.id, undefined, signal)).toBeUndefined();
  expect(
    await store.list({ customerId: order.customerId, state: undefined, before: undefined, limit: 9 }, signal),
  ).toEqual({ items: [], hasMore: false });
});
