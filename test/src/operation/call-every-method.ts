import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { expect } from 'vitest';
import { linesOf } from '../support/order-lines.ts';
import type { TestPair } from '../support/start-test-pair.ts';

const scopes = [
  'orders:read',
  'orders:write',
  'orders:erase',
  'inventory:read',
  'inventory:reconcile',
  'inventory:write',
];

/** Calls every method of both services that uses a database, and checks each response. */
export async function callEveryMethod(pair: TestPair): Promise<void> {
  const sku = randomUUID();
  const customer = `customer-${randomUUID()}`;
  const { orders, inventory } = await pair.clientsFor(customer, scopes);
  await using opened = new AsyncDisposableStack();
  const watch = <Response>(responses: AsyncGenerator<Response>) =>
    opened.adopt(responses, async (each) => void (await each.return(undefined)));
  const stocks = watch(inventory.watchStock({ skus: [sku] }));
  const changes = watch(orders.watchOrders({}));
  await Promise.all([stocks.next(), changes.next()]);

  await pair.setStock({ [sku]: 10 });
  const stock = { sku, title: sku, onHand: 10n, reserved: 0n };
  expect((await inventory.getStock({ sku })).stock).toMatchObject(stock);
  expect((await inventory.listStock({ skuPrefix: sku })).stocks).toMatchObject([stock]);
  expect((await stocks.next()).value?.stock).toMatchObject(stock);
  const counts = await Array.fromAsync(inventory.countStock([{ sku, counted: 12n }]));
  expect(counts).toMatchObject([{ expected: 10n, difference: 2n, errorReason: '' }]);

  const place = async () => {
    const { order } = await orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ [sku]: 3 }) });
    return order ?? expect.unreachable();
  };
  const order = await place();
  expect(order.state).toBe(Order_State.CONFIRMED);
  expect((await changes.next()).value?.order).toMatchObject({ id: order.id });
  expect((await orders.getOrder({ id: order.id })).order).toEqual(order);
  expect((await orders.listOrders({})).orders).toEqual([order]);
  expect((await orders.listOrders({ state: Order_State.CONFIRMED })).orders).toEqual([order]);
  expect((await inventory.getStock({ sku })).stock).toMatchObject({ onHand: 12n, reserved: 3n });
  const { reservations } = await inventory.listReservations({ untilId: order.id });
  expect(reservations.map(({ id }) => id)).toContain(order.id);
  const { order: cancelled } = await orders.cancelOrder({ id: order.id });
  expect(cancelled?.state).toBe(Order_State.CANCELLED);
  await expect
    .poll(async () => (await inventory.getStock({ sku })).stock, { timeout: 10_000 })
    .toMatchObject({ onHand: 12n, reserved: 0n });
  await expect
    .poll(() => orders.eraseCustomer({ customerId: customer }), { timeout: 10_000 })
    .toMatchObject({ done: true });
  expect((await orders.listOrders({})).orders).toEqual([]);
}
