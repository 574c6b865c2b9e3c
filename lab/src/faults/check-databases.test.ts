import { randomUUID } from 'node:crypto';
import { linesOf } from '@acme/test/support/order-lines';
import { test } from '@acme/test/support/pair-test';
import { expect } from 'vitest';
import { standingErrors } from './check-databases.ts';

test('ensure an operator is told of an order that holds nothing, and of nothing else', async ({
  pair,
  customer,
}) => {
  await pair.setStock({ A: 100 });
  const place = async () => {
    const { order } = await customer.orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ A: 1 }) });
    return order?.id;
  };
  const [, id] = [await place(), await place()];
  expect(await standingErrors(pair)).toEqual([]);

  await pair.inventoryDatabase.query(`UPDATE reservations SET state = 'RELEASED' WHERE id = $1`, [id]);
  expect(await standingErrors(pair)).toEqual([
    'A: 2 reserved, 1 in live reservations',
    `order ${id} is CONFIRMED and holds nothing, not 1 A`,
  ]);
});

test('ensure an order that is late is told of, and one that is under way is not', async ({
  pair,
  customer,
}) => {
  await pair.setStock({ B: 100 });
  const { order } = await customer.orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ B: 1 }) });
  const owe = (since: string) =>
    pair.ordersDatabase.query(
      `UPDATE orders SET settle_after = now() + interval '1 h', update_time = now() - $2::interval WHERE id = $1`,
      [order?.id, since],
    );
  const ofThisOrder = async () =>
    (await standingErrors(pair)).filter((error) => error.includes(order?.id ?? 'never'));
  await owe('20 s');
  expect(await ofThisOrder()).toEqual([]);
  await owe('40 s');
  expect(await ofThisOrder()).toEqual([`order ${order?.id} is CONFIRMED and not settled`]);
});
