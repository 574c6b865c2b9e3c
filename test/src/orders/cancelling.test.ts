import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { Code } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { callUntilAccepted, rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { linesOf } from '../support/order-lines.ts';
import { test } from '../support/pair-test.ts';
import { reservedUnits } from '../support/reserved-units.ts';
import type { Clients } from '../support/start-test-pair.ts';

async function place({ orders }: Clients, units: Record<string, number>) {
  const { order } = await orders.placeOrder({ requestId: randomUUID(), lines: linesOf(units) });
  if (!order) throw new Error('the response has no order');
  return order;
}

test('a cancelled order releases its own stock and no other', async ({ pair, customer }) => {
  await pair.setStock({ 'back-1': 10, 'back-2': 10 });
  await place(customer, { 'back-1': 1, 'back-2': 2 });
  const order = await place(customer, { 'back-1': 3, 'back-2': 4 });
  const cancelled = await customer.orders.cancelOrder({ id: order.id, etag: order.etag });
  expect(cancelled.order).toMatchObject({ id: order.id, lines: order.lines, state: Order_State.CANCELLED });
  expect(cancelled.order?.etag).not.toBe(order.etag);
  expect(await customer.orders.getOrder({ id: order.id })).toMatchObject({ order: cancelled.order });
  await eventually(async () =>
    expect(await reservedUnits(pair, ['back-1', 'back-2'])).toEqual({ 'back-1': 1, 'back-2': 2 }),
  );
});

test('a repeated cancel returns the same response, with the first etag or without one', async ({
  pair,
  customer,
}) => {
  await pair.setStock({ again: 10 });
  await place(customer, { again: 1 });
  const { id, etag } = await place(customer, { again: 5 });
  const first = await customer.orders.cancelOrder({ id, etag });
  expect(await customer.orders.cancelOrder({ id, etag })).toEqual(first);
  expect(await customer.orders.cancelOrder({ id: id.toUpperCase() })).toEqual(first);
  await eventually(async () => expect(await reservedUnits(pair, ['again'])).toEqual({ again: 1 }));
});

test('20 concurrent cancels return the same response and release the stock once', async ({
  pair,
  customer,
}) => {
  await pair.setStock({ storm: 100 });
  await place(customer, { storm: 50 });
  const { id, etag } = await place(customer, { storm: 5 });
  const responses = await Promise.all(
    Array.from({ length: 20 }, () => callUntilAccepted(() => customer.orders.cancelOrder({ id, etag }))),
  );
  expect(responses[0]?.order?.state).toBe(Order_State.CANCELLED);
  expect(responses).toEqual(responses.map(() => responses[0]));
  await eventually(async () => expect(await reservedUnits(pair, ['storm'])).toEqual({ storm: 50 }));
});

test('a cancel with a stale etag is rejected and changes nothing', async ({ pair, customer }) => {
  await pair.setStock({ stale: 10 });
  const order = await place(customer, { stale: 1 });
  const error = await rejectionOf(customer.orders.cancelOrder({ id: order.id, etag: 'stale' }));
  expect(error.code).toBe(Code.ABORTED);
  expect(error.findDetail(ErrorInfoSchema)).toMatchObject({ domain: 'orders.v1', reason: 'ETAG_MISMATCH' });
  expect(await customer.orders.getOrder({ id: order.id })).toMatchObject({ order });
});

test('a rejected order cannot be cancelled', async ({ pair, customer: { orders } }) => {
  await pair.setStock({ rejected: 1 });
  const lines = linesOf({ rejected: 2 });
  const rejection = await rejectionOf(orders.placeOrder({ requestId: randomUUID(), lines }));
  const id = rejection.findDetail(ErrorInfoSchema)?.metadata.order_id ?? '';
  const error = await rejectionOf(orders.cancelOrder({ id }));
  expect(error.code).toBe(Code.FAILED_PRECONDITION);
  expect(error.findDetail(ErrorInfoSchema)).toMatchObject({
    domain: 'orders.v1',
    reason: 'ORDER_REJECTED',
    metadata: { order_id: id },
  });
  expect((await orders.getOrder({ id })).order?.state).toBe(Order_State.REJECTED);
});

test('released stock can be ordered again', async ({ pair, customer }) => {
  await pair.setStock({ 'second-chance': 1 });
  const { id } = await place(customer, { 'second-chance': 1 });
  await customer.orders.cancelOrder({ id });
  await eventually(async () =>
    expect(await reservedUnits(pair, ['second-chance'])).toEqual({ 'second-chance': 0 }),
  );
  expect((await place(customer, { 'second-chance': 1 })).state).toBe(Order_State.CONFIRMED);
});
