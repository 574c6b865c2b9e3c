import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { Code } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { callUntilAccepted, rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { errorFieldsOf } from '../support/error-fields.ts';
import { eventually } from '../support/eventually.ts';
import { linesOf } from '../support/order-lines.ts';
import { test } from '../support/pair-test.ts';
import { reservedUnits } from '../support/reserved-units.ts';
import { untilSettled } from '../support/until-settled.ts';

test('a repeated request returns the same order, independent of the order of its lines', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ 'replay-1': 10, 'replay-2': 10 });
  const lines = linesOf({ 'replay-2': 2, 'replay-1': 1 });
  const requestId = randomUUID();
  const first = await orders.placeOrder({ requestId, lines });
  expect(await orders.placeOrder({ requestId, lines })).toEqual(first);
  expect(await orders.placeOrder({ requestId, lines: lines.toReversed() })).toEqual(first);
  expect(await orders.placeOrder({ requestId: requestId.toUpperCase(), lines })).toEqual(first);
  expect((await orders.listOrders({})).orders).toEqual([first.order]);
  expect(await reservedUnits(pair, ['replay-1', 'replay-2'])).toEqual({ 'replay-1': 1, 'replay-2': 2 });
});

test('a repeated request for a rejected order gets the same error, even if there is stock now', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ 'refused-few': 1 });
  const tooMany = { requestId: randomUUID(), lines: linesOf({ 'refused-few': 2 }) };
  const unknown = { requestId: randomUUID(), lines: linesOf({ 'refused-none': 1 }) };
  const [outOfStock, notFound] = [
    await errorFieldsOf(orders.placeOrder(tooMany)),
    await errorFieldsOf(orders.placeOrder(unknown)),
  ];
  expect([outOfStock.code, notFound.code]).toEqual([Code.FAILED_PRECONDITION, Code.NOT_FOUND]);
  await pair.setStock({ 'refused-few': 100, 'refused-none': 100 });
  expect(await errorFieldsOf(orders.placeOrder(tooMany))).toEqual(outOfStock);
  expect(await errorFieldsOf(orders.placeOrder(unknown))).toEqual(notFound);
  expect(await reservedUnits(pair, ['refused-few', 'refused-none'])).toEqual({
    'refused-few': 0,
    'refused-none': 0,
  });
});

test('a repeated request for a cancelled order returns it CANCELLED and reserves nothing', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ 'replay-cancelled': 1 });
  const request = { requestId: randomUUID(), lines: linesOf({ 'replay-cancelled': 1 }) };
  const { order } = await orders.placeOrder(request);
  const cancelled = await orders.cancelOrder({ id: order?.id ?? '' });
  expect(cancelled.order?.state).toBe(Order_State.CANCELLED);
  expect((await orders.placeOrder(request)).order).toEqual(cancelled.order);
  await eventually(async () =>
    expect(await reservedUnits(pair, ['replay-cancelled'])).toEqual({ 'replay-cancelled': 0 }),
  );
});

test('20 identical concurrent requests make one order, which all of them return', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ 'twenty-times': 100 });
  const request = { requestId: randomUUID(), lines: linesOf({ 'twenty-times': 3 }) };
  const responses = await Promise.all(
    Array.from({ length: 20 }, () => callUntilAccepted(() => orders.placeOrder(request))),
  );
  const ids = new Set(responses.map(({ order }) => order?.id));
  await untilSettled(pair);
  const listed = (await orders.listOrders({})).orders;
  expect(listed.map(({ id, state }) => [id, state])).toEqual([[...ids, Order_State.CONFIRMED]]);
  expect(await reservedUnits(pair, ['twenty-times'])).toEqual({ 'twenty-times': 3 });
});

test.for([
  ['another quantity', { 'reused-1': 2, 'reused-2': 1 }],
  ['another SKU', { 'reused-1': 1, 'reused-3': 1 }],
  ['a line more', { 'reused-1': 1, 'reused-2': 1, 'reused-3': 1 }],
  ['a line less', { 'reused-1': 1 }],
] as const)(
  'a request_id that is reused with %s is rejected and changes nothing',
  async ([, units], { pair, customer: { orders } }) => {
    await pair.setStock({ 'reused-1': 1_000, 'reused-2': 1_000, 'reused-3': 1_000 });
    const requestId = randomUUID();
    const first = await orders.placeOrder({ requestId, lines: linesOf({ 'reused-1': 1, 'reused-2': 1 }) });
    const skus = ['reused-1', 'reused-2', 'reused-3'];
    const reserved = await reservedUnits(pair, skus);
    const error = await rejectionOf(orders.placeOrder({ requestId, lines: linesOf(units) }));
    expect(error.code).toBe(Code.FAILED_PRECONDITION);
    expect(error.findDetail(ErrorInfoSchema)).toMatchObject({
      domain: 'orders.v1',
      reason: 'REQUEST_ID_REUSED',
      metadata: { order_id: first.order?.id },
    });
    expect((await orders.listOrders({})).orders).toEqual([first.order]);
    expect(await reservedUnits(pair, skus)).toEqual(reserved);
  },
);

test('of two different concurrent requests with one request_id, one is placed and the other rejected', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ 'race-1': 10, 'race-2': 10 });
  const requestId = randomUUID();
  const responses = await Promise.allSettled(
    ['race-1', 'race-2'].map((sku) => orders.placeOrder({ requestId, lines: linesOf({ [sku]: 1 }) })),
  );
  const placed = responses.filter(({ status }) => status === 'fulfilled');
  expect(placed).toMatchObject([{ value: { order: { state: Order_State.CONFIRMED } } }]);
  const refused = responses.filter(({ status }) => status === 'rejected');
  expect(refused).toMatchObject([{ reason: { code: Code.FAILED_PRECONDITION } }]);
  const reserved = Object.values(await reservedUnits(pair, ['race-1', 'race-2']));
  expect(reserved.sort()).toEqual([0, 1]);
});

test('two customers may use the same request_id', async ({ pair, customer }) => {
  await pair.setStock({ shared: 10 });
  const other = await pair.clientsFor(`customer-${randomUUID()}`);
  const request = { requestId: randomUUID(), lines: linesOf({ shared: 1 }) };
  const mine = await customer.orders.placeOrder(request);
  const theirs = await other.orders.placeOrder({ ...request, lines: linesOf({ shared: 2 }) });
  expect(theirs.order?.state).toBe(Order_State.CONFIRMED);
  expect(theirs.order?.id).not.toBe(mine.order?.id);
  expect(await reservedUnits(pair, ['shared'])).toEqual({ shared: 3 });
});
