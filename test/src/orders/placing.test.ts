import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { Code } from '@acme/rpc/errors';
import { callUntilAccepted } from '@acme/rpc/testing';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { describe, expect } from 'vitest';
import { linesOf } from '../support/order-lines.ts';
import { test } from '../support/pair-test.ts';
import { reservedUnits } from '../support/reserved-units.ts';
import type { Clients, TestPair } from '../support/start-test-pair.ts';
import { untilSettled } from '../support/until-settled.ts';

test('an order is CONFIRMED, its units are reserved, and GetOrder returns the same order', async ({
  pair,
  customer,
  customerId,
}) => {
  await pair.setStock({ bread: 10, milk: 10 });
  const beforeMs = Date.now();
  const { order } = await customer.orders.placeOrder({
    requestId: randomUUID(),
    lines: linesOf({ milk: 3, bread: 1 }),
  });
  expect(order).toMatchObject({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    customerId,
    lines: linesOf({ milk: 3, bread: 1 }),
    state: Order_State.CONFIRMED,
    rejectReason: '',
  });
  const placedMs = order?.createTime ? timestampDate(order.createTime).getTime() : 0;
  expect(placedMs).toBeGreaterThanOrEqual(beforeMs);
  expect(placedMs).toBeLessThanOrEqual(Date.now());
  expect(await customer.orders.getOrder({ id: order?.id ?? '' })).toMatchObject({ order });
  expect(await reservedUnits(pair, ['bread', 'milk'])).toEqual({ bread: 1, milk: 3 });
});

test('an order with one short line reserves nothing', async ({ pair, customer }) => {
  await pair.setStock({ 'all-or-none-1': 5, 'all-or-none-2': 1, 'all-or-none-3': 5 });
  const tooMuch = linesOf({ 'all-or-none-1': 2, 'all-or-none-2': 2, 'all-or-none-3': 2 });
  await expect(customer.orders.placeOrder({ requestId: randomUUID(), lines: tooMuch })).rejects.toThrow(
    'there is not enough stock of all-or-none-2',
  );
  expect(
    await reservedUnits(
      pair,
      tooMuch.map(({ sku }) => sku),
    ),
  ).toEqual({
    'all-or-none-1': 0,
    'all-or-none-2': 0,
    'all-or-none-3': 0,
  });
});

test('SKUs are case-sensitive and may contain spaces and any script', async ({ pair, customer }) => {
  const skus = ['15056BL', '15056bl', 'PADS TO MATCH ALL CUSHIONS', ' ', 'Käse', '🧀'];
  await pair.setStock(Object.fromEntries(skus.map((sku) => [sku, 10])));
  const units = Object.fromEntries(skus.map((sku, index) => [sku, index + 1]));
  const { order } = await customer.orders.placeOrder({ requestId: randomUUID(), lines: linesOf(units) });
  expect(order?.state).toBe(Order_State.CONFIRMED);
  expect(await reservedUnits(pair, skus)).toEqual(units);
});

test('an order of 1,000 lines is CONFIRMED and reserves each', async ({ pair, customer }) => {
  const skus = Array.from({ length: 1000 }, (_, index) => `thousand-${index}`.padEnd(64, '.'));
  await pair.setStock(Object.fromEntries(skus.map((sku) => [sku, 1_000_000])));
  const lines = skus.map((sku) => ({ sku, quantity: 1_000_000 }));
  const { order } = await customer.orders.placeOrder({ requestId: randomUUID(), lines });
  expect(order?.state).toBe(Order_State.CONFIRMED);
  expect(order?.lines).toMatchObject(lines);
  const reserved = Object.values(await reservedUnits(pair, skus));
  expect(reserved).toEqual(skus.map(() => 1_000_000));
});

describe('many at once', () => {
  /** Places an order for each of these lines concurrently. Returns the states, grouped. */
  async function placeAll(pair: TestPair, { orders }: Clients, each: readonly ReturnType<typeof linesOf>[]) {
    const place = async (lines: ReturnType<typeof linesOf>) => {
      const request = { requestId: randomUUID(), lines };
      await callUntilAccepted(() => orders.placeOrder(request)).catch((error) => {
        if (error.code !== Code.FAILED_PRECONDITION) throw error;
      });
    };
    await Promise.all(each.map(place));
    await untilSettled(pair);
    const listed = (await orders.listOrders({ pageSize: 200 })).orders;
    return Map.groupBy(
      listed.map(({ state }) => state),
      (state) => state,
    );
  }

  test('exactly one of 50 concurrent orders gets the only unit', async ({ pair, customer }) => {
    await pair.setStock({ 'last-one': 1 });
    const states = await placeAll(pair, customer, Array(50).fill(linesOf({ 'last-one': 1 })));
    expect(states.get(Order_State.CONFIRMED)).toHaveLength(1);
    expect(states.get(Order_State.REJECTED)).toHaveLength(49);
    expect(await reservedUnits(pair, ['last-one'])).toEqual({ 'last-one': 1 });
  });

  test('concurrent orders with the same SKUs in opposite order are all placed', async ({
    pair,
    customer,
  }) => {
    await pair.setStock({ 'there-and': 100, 'back-again': 100 });
    const there = linesOf({ 'there-and': 1, 'back-again': 1 });
    const each = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? there : there.toReversed()));
    const states = await placeAll(pair, customer, each);
    expect(states.get(Order_State.CONFIRMED)).toHaveLength(100);
    expect(await reservedUnits(pair, ['there-and', 'back-again'])).toEqual({
      'there-and': 100,
      'back-again': 100,
    });
  });
});
