import { expect, test } from 'vitest';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const now = () => new Date('2026-01-02T03:04:05.678Z');
const options = { now, settleGraceMs: 60_000 };

test('another customer can neither read nor cancel an order', async () => {
  await using database = await openOrdersDatabase();
  const store = createOrderStores(database.pool, options);
  const { id } = await store.place(newOrder());
  expect(await store.get(id, 'bob', signal)).toBeUndefined();
  await expect(store.cancel(id, 'bob', '', signal)).rejects.toMatchObject({
    problem: { kind: 'ORDER_NOT_FOUND', id },
  });
  expect(await store.get(id, 'alice', signal)).toMatchObject({ id, state: 'PENDING' });
});
