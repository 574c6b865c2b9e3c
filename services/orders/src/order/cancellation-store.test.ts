import { expect, test } from 'vitest';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05.678Z');
const options = { now, settleGraceMs: 60_000 };

test('each change writes one event, and a cancel without effect writes none', async () => {
  await using database = await openOrdersDatabase();
  const store = createOrderStores(database.pool, options);
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
