import { randomUUID } from 'node:crypto';
import { Code } from '@acme/rpc/errors';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { linesOf } from '../support/order-lines.ts';
import { test } from '../support/pair-test.ts';
import { untilSettled } from '../support/until-settled.ts';

const sql = {
  age: `UPDATE orders SET create_time = create_time - interval '31 days'`,
  forgotten: 'SELECT FROM orders WHERE request_id IS NULL AND fingerprint IS NULL',
  ageReservations: `UPDATE reservations SET update_time = update_time - interval '31 days'`,
};

test('a request_id that is older than its retention places another order', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ forgotten: 10 });
  const requestId = randomUUID();
  const { order: first } = await orders.placeOrder({ requestId, lines: linesOf({ forgotten: 1 }) });
  await pair.ordersDatabase.query(sql.age);
  const reused = await rejectionOf(orders.placeOrder({ requestId, lines: linesOf({ forgotten: 2 }) }));
  expect(reused.code).toBe(Code.FAILED_PRECONDITION);
  await pair.restartOrders(0);
  await expect.poll(async () => (await pair.ordersDatabase.query(sql.forgotten)).rowCount).toBe(1);
  const { order: second } = await orders.placeOrder({ requestId, lines: linesOf({ forgotten: 2 }) });
  expect(second?.id).not.toBe(first?.id);
  expect((await orders.getOrder({ id: first?.id ?? '' })).order).toMatchObject({ etag: first?.etag });
});

test('inventory removes a released reservation after its retention, and keeps a live one', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ released: 10 });
  const place = () => orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ released: 1 }) });
  const [{ order: kept }, { order: cancelled }] = [await place(), await place()];
  await orders.cancelOrder({ id: cancelled?.id ?? '' });
  await untilSettled(pair);
  await pair.inventoryDatabase.query(sql.ageReservations);
  await pair.stopInventory();
  await pair.restartInventory();
  const left = async () => {
    const { rows } = await pair.inventoryDatabase.query<{ id: string }>(
      'SELECT id FROM reservations WHERE id = ANY ($1)',
      [[kept?.id, cancelled?.id]],
    );
    return rows.map(({ id }) => id);
  };
  await expect.poll(left).toEqual([kept?.id]);
});
