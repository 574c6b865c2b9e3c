import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Pool } from '@acme/postgres/pool';
import { Code } from '@acme/rpc/errors';
import { rejectionOf } from '@acme/rpc/testing';
import { linesOf } from '@acme/test/support/order-lines';
import { test } from '@acme/test/support/pair-test';
import { untilSettled } from '@acme/test/support/until-settled';
import { watchOrders } from '@acme/test/support/watched-orders';
import { expect } from 'vitest';
import { judgeDatabases } from '../harness/verdict.ts';
import { readEraseConfig } from './erase-config.ts';
import { eraseCustomer } from './erase-customer.ts';

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

test('a watch of an erased customer can be resumed, and receives only what was not erased', async ({
  pair,
  customer: { orders },
  customerId,
}) => {
  await pair.setStock({ watched: 10 });
  const eraser = (await pair.clientsFor('operator', ['orders:erase'])).orders;
  const place = () => orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ watched: 1 }) });
  await using watch = await watchOrders(orders);
  await place();
  expect(await watch.change()).toBe('PENDING 1');
  const { resumeToken } = await watch.next();
  expect(await eraseCustomer(eraser, customerId)).toBe(1);
  await place();
  expect(await watch.change()).toBe('PENDING 1');
  await using resumed = await watchOrders(orders, { resumeToken });
  expect(await resumed.change()).toBe('PENDING 1');
  await using fromTheStart = await watchOrders(orders, { resumeToken: watch.token });
  expect(await fromTheStart.change()).toBe('PENDING 1');
  expect(await fromTheStart.change()).toBe('CONFIRMED 2');
});

test('the command erases with the token of an operator', async ({
  pair,
  customer: { orders },
  customerId,
}) => {
  await pair.setStock({ commanded: 10 });
  await orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ commanded: 1 }) });
  await using folder = await mkdtempDisposable(join(tmpdir(), 'erase-'));
  const tokenFile = join(folder.path, 'operator.token');
  await writeFile(tokenFile, await pair.token('operator', ['orders:erase']));
  const command = fileURLToPath(new URL('./erase.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [command, '--customer', customerId], {
    env: { ORDERS_TARGET: pair.ordersTargets[0], AUTH_TOKEN_FILE: tokenFile },
  });
  expect(stdout).toBe('erased orders: 1\n');
  expect((await orders.listOrders({})).orders).toEqual([]);
});

test('the command needs a token, and TLS to another machine', () => {
  expect(readEraseConfig({})).toBeUndefined();
  expect(() => readEraseConfig({ ORDERS_TARGET: 'dns:///orders:50051' })).toThrow(
    /ORDERS_TARGET is not valid \(TLS is off.*AUTH_TOKEN_FILE is missing/,
  );
});

test('a customer may not erase itself', async ({ customer: { orders }, customerId }) => {
  expect((await rejectionOf(orders.eraseCustomer({ customerId }))).code).toBe(Code.PERMISSION_DENIED);
});
