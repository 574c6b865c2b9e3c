import { randomUUID } from 'node:crypto';
import { linesOf } from '@acme/test/support/order-lines';
import { test } from '@acme/test/support/pair-test';
import { expect } from 'vitest';
import { checkDatabases } from './check-databases.ts';

test('the check reports a confirmed order without a reservation, and nothing else', async ({
  pair,
  customer,
}) => {
  await pair.setStock({ A: 100 });
  const place = async () => {
    const { order } = await customer.orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ A: 1 }) });
    return order?.id;
  };
  const [, id] = [await place(), await place()];
  expect(await checkDatabases(pair)).toEqual([]);

  await pair.inventoryDatabase.query(`UPDATE reservations SET state = 'RELEASED' WHERE id = $1`, [id]);
  expect(await checkDatabases(pair)).toEqual([
    'A: 2 reserved, 1 in live reservations',
    `order ${id} is CONFIRMED and holds nothing, not 1 A`,
  ]);
});

test('the check reports an order that is not settled after 30 s, and not before', async ({
  pair,
  customer,
}) => {
  await pair.setStock({ B: 100 });
  const { order } = await customer.orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ B: 1 }) });
  const unsettle = (since: string) =>
    pair.ordersDatabase.query(
      `UPDATE orders SET settle_after = now() + interval '1 h', update_time = now() - $2::interval WHERE id = $1`,
      [order?.id, since],
    );
  const errorsOfOrder = async () =>
    (await checkDatabases(pair)).filter((error) => error.includes(order?.id ?? 'never'));
  await unsettle('20 s');
  expect(await errorsOfOrder()).toEqual([]);
  await unsettle('40 s');
  expect(await errorsOfOrder()).toEqual([`order ${order?.id} is CONFIRMED and not settled`]);
});
