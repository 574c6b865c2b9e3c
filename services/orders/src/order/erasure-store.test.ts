import { expect, test } from 'vitest';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';
import { createErasureStore } from './erasure-store.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05.678Z');
const options = { now, settleGraceMs: 60_000 };
const confirmAll = `UPDATE orders SET state = 'CONFIRMED', settle_after = NULL`;

test('an erased order keeps everything but its customer and its request', async () => {
  await using database = await openOrdersDatabase();
  const store = createOrderStores(database.pool, options);
  const erasure = createErasureStore(database.pool);
  const order = newOrder();
  const placed = await store.place(order);
  const theirs = await store.place(newOrder({ customerId: 'bob' }));
  await database.pool.query(confirmAll);
  expect(await erasure.eraseSome('alice', signal)).toEqual({
    erasedOrders: 1,
    unsettledOrders: 0,
    isDone: true,
  });
  expect(await store.get(placed.id, 'alice', signal)).toBeUndefined();
  expect(await store.get(placed.id, undefined, signal)).toEqual({
    ...placed,
    customerId: '',
    state: 'CONFIRMED',
  });
  expect(await store.get(theirs.id, 'bob', signal)).toMatchObject({ customerId: 'bob' });
  const { rows } = await database.pool.query('SELECT customer FROM order_events ORDER BY seq');
  expect(rows).toEqual([{ customer: '' }, { customer: 'bob' }]);
  const again = await store.place({ ...newOrder(), requestId: order.requestId });
  expect(again.id).not.toBe(placed.id);
});

test('an order that is not settled is kept until it is', async () => {
  await using database = await openOrdersDatabase();
  const store = createOrderStores(database.pool, options);
  const erasure = createErasureStore(database.pool);
  const { id } = await store.place(newOrder());
  const waiting = { erasedOrders: 0, unsettledOrders: 1, isDone: false };
  expect(await erasure.eraseSome('alice', signal)).toEqual(waiting);
  await store.cancel(id, 'alice', '', signal);
  expect(await erasure.eraseSome('alice', signal)).toEqual(waiting);
  const { rows } = await database.pool.query('SELECT DISTINCT customer FROM order_events');
  expect(rows).toEqual([{ customer: 'alice' }]);
  await database.pool.query('UPDATE orders SET settle_after = NULL');
  const done = { erasedOrders: 1, unsettledOrders: 0, isDone: true };
  expect(await erasure.eraseSome('alice', signal)).toEqual(done);
  expect(await erasure.eraseSome('alice', signal)).toEqual({ ...done, erasedOrders: 0 });
});

test('a call erases a limited number of orders and events', async () => {
  await using database = await openOrdersDatabase();
  const erasure = createErasureStore(database.pool);
  await database.pool.query(
    `WITH placed AS (
       INSERT INTO orders (id, customer_id, request_id, fingerprint, lines, state, create_time, update_time)
       SELECT uuidv7(), 'alice', gen_random_uuid(), '', '[]', 'CONFIRMED', now(), now() FROM generate_series(1, 2600)
       RETURNING id
     )
     INSERT INTO order_events (order_id, customer, version, state, event_time)
     SELECT id, 'alice', version, 'PENDING', now() FROM placed, generate_series(1, 3) AS version`,
  );
  const erased: number[] = [];
  for (let isDone = false; !isDone; ) {
    const part = await erasure.eraseSome('alice', signal);
    erased.push(part.erasedOrders);
    isDone = part.isDone;
  }
  expect(erased).toEqual([1000, 1000, 600]);
  const { rows } = await database.pool.query(`SELECT count(*) FROM order_events WHERE customer = 'alice'`);
  expect(rows).toEqual([{ count: 0n }]);
});
