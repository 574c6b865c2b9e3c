import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { Code } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { type ErrorFields, errorFieldsOf } from '../support/error-fields.ts';
import { linesOf } from '../support/order-lines.ts';
import { test as pairTest } from '../support/pair-test.ts';

/** Test with an order of another customer. */
const test = pairTest
  .extend('theirId', () => `customer-${randomUUID()}`)
  .extend('theirs', async ({ pair, theirId }) => {
    await pair.setStock({ theirs: 1000 });
    const { orders } = await pair.clientsFor(theirId);
    const { order } = await orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ theirs: 1 }) });
    if (!order) throw new Error('the response has no order');
    return order;
  });

/** Replaces the requested id in an error. */
function withoutId(error: ErrorFields, id: string): unknown {
  return JSON.parse(JSON.stringify(error).replaceAll(id, '<id>'));
}

test('another customer’s order and an unknown order give the same error', async ({
  customer: { orders },
  theirs,
}) => {
  const unknown = randomUUID();
  for (const ask of [
    (id: string) => orders.getOrder({ id }),
    (id: string) => orders.cancelOrder({ id }),
    (id: string) => orders.cancelOrder({ id, etag: theirs.etag }),
    (id: string) => orders.cancelOrder({ id, etag: 'stale' }),
  ]) {
    const ofTheirs = await errorFieldsOf(ask(theirs.id));
    expect(ofTheirs.code).toBe(Code.NOT_FOUND);
    expect(withoutId(ofTheirs, theirs.id)).toEqual(withoutId(await errorFieldsOf(ask(unknown)), unknown));
  }
  expect(JSON.stringify(await errorFieldsOf(orders.getOrder({ id: theirs.id })))).toContain(
    'ORDER_NOT_FOUND',
  );
});

test('placing and listing orders of another customer need a scope', async ({
  customer: { orders },
  theirId,
  theirs,
}) => {
  const order = { requestId: randomUUID(), lines: linesOf({ theirs: 1 }), customerId: theirId };
  const placing = await rejectionOf(orders.placeOrder(order));
  expect(placing.code).toBe(Code.PERMISSION_DENIED);
  expect(placing.findDetail(ErrorInfoSchema)?.metadata).toEqual({ scope: 'orders:write:any' });
  const listing = await rejectionOf(orders.listOrders({ customerId: theirId }));
  expect(listing.code).toBe(Code.PERMISSION_DENIED);
  expect(listing.findDetail(ErrorInfoSchema)?.metadata).toEqual({ scope: 'orders:read:any' });
  expect((await orders.listOrders({})).orders).not.toContainEqual(theirs);
});

test('a customer may send their own customer_id', async ({ customer: { orders }, customerId, theirs }) => {
  const lines = theirs.lines.map(({ sku, quantity }) => ({ sku, quantity }));
  const { order } = await orders.placeOrder({ requestId: randomUUID(), lines, customerId });
  expect(order?.customerId).toBe(customerId);
  expect((await orders.listOrders({ customerId })).orders).toEqual([order]);
});

test('orders:read:any reads the orders of all customers, and changes none', async ({
  pair,
  theirId,
  theirs,
}) => {
  const { orders } = await pair.clientsFor('support', ['orders:read', 'orders:write', 'orders:read:any']);
  expect((await orders.getOrder({ id: theirs.id })).order).toEqual(theirs);
  expect((await orders.listOrders({ customerId: theirId })).orders).toEqual([theirs]);
  expect((await rejectionOf(orders.cancelOrder({ id: theirs.id }))).code).toBe(Code.NOT_FOUND);
  const order = { requestId: randomUUID(), lines: linesOf({ theirs: 1 }), customerId: theirId };
  expect((await rejectionOf(orders.placeOrder(order))).code).toBe(Code.PERMISSION_DENIED);
});

test('orders:write:any places and cancels for all customers, and reads none', async ({
  pair,
  theirId,
  theirs,
}) => {
  const { orders } = await pair.clientsFor('clerk', ['orders:read', 'orders:write', 'orders:write:any']);
  const request = { requestId: randomUUID(), lines: linesOf({ theirs: 1 }), customerId: theirId };
  const { order } = await orders.placeOrder(request);
  expect(order).toMatchObject({ customerId: theirId, state: Order_State.CONFIRMED });
  const cancelled = await orders.cancelOrder({ id: theirs.id });
  expect(cancelled.order?.state).toBe(Order_State.CANCELLED);
  expect((await rejectionOf(orders.getOrder({ id: theirs.id }))).code).toBe(Code.NOT_FOUND);
  expect((await rejectionOf(orders.listOrders({ customerId: theirId }))).code).toBe(Code.PERMISSION_DENIED);
});

test('a scope for all customers does not replace the scope of the method', async ({ pair, theirs }) => {
  const { orders } = await pair.clientsFor('auditor', ['orders:read:any', 'orders:write:any']);
  expect((await rejectionOf(orders.getOrder({ id: theirs.id }))).code).toBe(Code.PERMISSION_DENIED);
  expect((await rejectionOf(orders.cancelOrder({ id: theirs.id }))).code).toBe(Code.PERMISSION_DENIED);
});
