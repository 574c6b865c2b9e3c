import { randomUUID } from 'node:crypto';
import type { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Client } from '@acme/rpc/client';
import { Code } from '@acme/rpc/errors';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { test } from '../support/pair-test.ts';
import { placeOrder } from '../support/watched-orders.ts';

/** Opens a watch, and waits for its first response. `change` returns for example `A 2/10`: 2 of 10 units are reserved. */
async function watchStock(
  inventory: Client<typeof InventoryService>,
  request: { resumeToken?: string; skus?: string[] },
) {
  const responses = inventory.watchStock(request);
  const first = await responses.next();
  const next = async () => {
    for (;;) {
      const { value } = await responses.next();
      if (value?.stock) return { ...value, stock: value.stock };
    }
  };
  return {
    token: first.value?.resumeToken ?? expect.unreachable(),
    next,
    change: async () => {
      const { stock } = await next();
      return `${stock.sku} ${stock.reserved}/${stock.onHand}`;
    },
    [Symbol.asyncDispose]: async () => void (await responses.return()),
  };
}

test('a watch returns the stock right after each import, reservation and release', async ({
  pair,
  customer: { orders, inventory },
}) => {
  await using watch = await watchStock(inventory, { skus: ['watched'] });
  await pair.setStock({ watched: 10, other: 10 });
  const id = await placeOrder(orders, 'watched', 3);
  await placeOrder(orders, 'other');
  await orders.cancelOrder({ id });
  expect((await watch.next()).stock).toMatchObject({
    sku: 'watched',
    title: 'watched',
    onHand: 10n,
    available: 10n,
  });
  const reserved = await watch.next();
  expect(reserved.stock).toMatchObject({ reserved: 3n, available: 7n, etag: '2' });
  const released = await watch.next();
  expect(released.stock).toEqual((await inventory.getStock({ sku: 'watched' })).stock);
  await pair.setStock({ watched: 20 });
  expect(await watch.change()).toBe('watched 0/20');

  await using resumed = await watchStock(inventory, { skus: ['watched'], resumeToken: reserved.resumeToken });
  expect((await resumed.next()).stock).toEqual(released.stock);
});

test('refused and repeated calls are not changes', async ({ pair, customer: { inventory } }) => {
  await pair.setStock({ unchanged: 5 });
  const { inventory: keeper } = await pair.clientsFor('orders', ['inventory:reserve']);
  await using watch = await watchStock(inventory, { skus: ['unchanged'] });
  const reservationId = randomUUID();
  const reserve = (quantity: number, id = reservationId) =>
    keeper.reserveStock({ reservationId: id, lines: [{ sku: 'unchanged', quantity }] });
  await reserve(2);
  await reserve(2);
  await rejectionOf(reserve(4, randomUUID()));
  await keeper.releaseStock({ reservationId });
  await keeper.releaseStock({ reservationId });
  await reserve(5, randomUUID());
  expect([await watch.change(), await watch.change(), await watch.change()]).toEqual([
    'unchanged 2/5',
    'unchanged 0/5',
    'unchanged 5/5',
  ]);
});

test('a resume token is valid only for the same SKUs, in any order', async ({
  pair,
  customer: { inventory },
}) => {
  await using watch = await watchStock(inventory, { skus: ['one', 'two'] });
  await using same = await watchStock(inventory, { skus: ['two', 'one', 'two'], resumeToken: watch.token });
  await pair.setStock({ one: 1 });
  expect(await same.change()).toBe('one 0/1');
  for (const skus of [[], ['one'], ['one', 'two', 'three']]) {
    const refused = await rejectionOf(inventory.watchStock({ skus, resumeToken: watch.token }).next());
    expect(refused.code).toBe(Code.INVALID_ARGUMENT);
  }
});
