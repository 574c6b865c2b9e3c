import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eraseCustomer } from '@acme/orders/erase/erase-customer';
import { Code } from '@acme/rpc/errors';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { linesOf } from '../support/order-lines.ts';
import { test } from '../support/pair-test.ts';
import { watchOrders } from '../support/watched-orders.ts';

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
  const command = fileURLToPath(import.meta.resolve('@acme/orders/erase/main'));
  const { stdout } = await promisify(execFile)(process.execPath, [command, '--customer', customerId], {
    env: { ORDERS_TARGET: pair.ordersTargets[0], AUTH_TOKEN_FILE: tokenFile },
  });
  expect(stdout).toBe('erased orders: 1\n');
  expect((await orders.listOrders({})).orders).toEqual([]);
});

test('a customer may not erase itself', async ({ customer: { orders }, customerId }) => {
  expect((await rejectionOf(orders.eraseCustomer({ customerId }))).code).toBe(Code.PERMISSION_DENIED);
});
