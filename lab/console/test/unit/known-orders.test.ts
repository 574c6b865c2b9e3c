import { type Order, Order_State, OrderSchema } from '@acme/gen/orders/v1/order_pb';
import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { createKnownOrders } from '../../page/data/known-orders.ts';

function order(id: string, state: Order_State): Order {
  return create(OrderSchema, { id, state });
}

test('an order changes its state in place', () => {
  const orders = createKnownOrders(10, () => {});
  orders.take(order('1', Order_State.PENDING));
  orders.take(order('2', Order_State.PENDING));
  orders.take(order('1', Order_State.CONFIRMED));
  expect(orders.newest(10).map(({ id, state }) => `${id} ${state}`)).toEqual(['1 confirmed', '2 pending']);
  expect(orders.get('1')?.changes.map(({ state }) => state)).toEqual(['pending', 'confirmed']);
});

test('an older version of an order changes nothing', () => {
  let changes = 0;
  const orders = createKnownOrders(10, () => changes++);
  orders.take(order('1', Order_State.CANCELLED));
  orders.take(order('1', Order_State.CONFIRMED));
  orders.take(order('1', Order_State.PENDING));
  expect(orders.get('1')?.state).toBe('cancelled');
  expect(changes).toBe(1);
});

test('the oldest orders are forgotten, and their changes do not make them new', () => {
  const orders = createKnownOrders(2, () => {});
  for (const id of ['1', '2', '3']) orders.take(order(id, Order_State.PENDING));
  orders.take(order('1', Order_State.CONFIRMED));
  expect(orders.newest(10).map(({ id }) => id)).toEqual(['2', '3']);
  expect(orders.seen).toBe(3);
});
