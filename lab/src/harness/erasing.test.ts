import { randomUUID } from 'node:crypto';
import { eraseCustomer } from '@acme/orders/erase/erase-customer';
import type { Pool } from '@acme/postgres/pool';
import { linesOf } from '@acme/test/support/order-lines';
import { test } from '@acme/test/support/pair-test';
import { untilSettled } from '@acme/test/support/until-settled';
import { expect } from 'vitest';
import { judgeDatabases } from './verdict.ts';

/** Returns the tables of a database that contain the text, in any column. */
async function tablesWith(pool: Pool, text: string): Promise<string[]> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rowCount } = await pool.query(`SELECT FROM ${name} WHERE strpos(${name}::text, $1) > 0 LIMIT 1`, [
      text,
    ]);
    if (rowCount) found.push(name);
  }
  return found;
}

test('an erase under load leaves nothing of the customer, and all invariants hold', async ({
  pair,
  customer,
  customerId,
}) => {
  await pair.setStock({ erased: 1000, scarce: 20 });
  const others = await pair.clientsFor(`other-${randomUUID()}`);
  const eraser = (await pair.clientsFor('operator', ['orders:erase'])).orders;
  let ordersLeft = 120;
  const buy = async ({ orders }: typeof customer) => {
    while (ordersLeft-- > 0) {
      const sku = ordersLeft % 4 === 0 ? 'scarce' : 'erased';
      const placing = orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ [sku]: 1 }) });
      const { order } = await placing.catch(() => ({ order: undefined }));
      if (order && ordersLeft % 3 === 0) await orders.cancelOrder({ id: order.id }).catch(() => {});
    }
  };
  const erase = async () => {
    while (ordersLeft > 0) await eraser.eraseCustomer({ customerId });
  };
  await Promise.all([buy(customer), buy(customer), buy(others), buy(others), erase()]);

  const { rows: before } = await pair.ordersDatabase.query('SELECT count(*) FROM orders');
  await eraseCustomer(eraser, customerId);
  expect(await eraseCustomer(eraser, customerId)).toBe(0);
  await untilSettled(pair);
  expect((await pair.ordersDatabase.query('SELECT count(*) FROM orders')).rows).toEqual(before);
  expect(await judgeDatabases(pair, [])).toEqual({ lost: [], oversold: [], unsettled: [], wrong: [] });
  expect(await tablesWith(pair.ordersDatabase, customerId)).toEqual([]);
  expect(await tablesWith(pair.inventoryDatabase, customerId)).toEqual([]);
  expect((await customer.orders.listOrders({})).orders).toEqual([]);
  expect((await others.orders.listOrders({})).orders).not.toEqual([]);
});
