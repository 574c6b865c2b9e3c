import { type Order, Order_State, OrderSchema } from '@acme/gen/orders/v1/order_pb';
import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { createKnownOrders } from '../../page/data/known-orders.ts';
import { type ListPage, listKnown } from '../../page/data/list-known.ts';

const alice = 'alice';

function order(id: string, state: Order_State, customerId = alice): Order {
  return create(OrderSchema, { id, state, customerId });
}

/** Returns a list of pages, and the tokens that it was asked for. */
function pagesOf(...pages: readonly (readonly Order[])[]) {
  const asked: string[] = [];
  const list: ListPage = async ({ pageToken }) => {
    asked.push(pageToken);
    const next = Number(pageToken) + 1;
    return { orders: [...(pages[next - 1] ?? [])], nextPageToken: next < pages.length ? `${next}` : '' };
  };
  return { asked, list };
}

const states = (orders: ReturnType<typeof createKnownOrders>) =>
  orders.newest(10).map(({ id, state }) => `${id} ${state}`);

test('the newest orders are taken from one page', async () => {
  const orders = createKnownOrders(10, () => {});
  const { asked, list } = pagesOf(
    [order('3', Order_State.PENDING), order('2', Order_State.CONFIRMED)],
    [order('1', Order_State.CONFIRMED)],
  );
  await listKnown(orders, alice, 10, list);
  expect(states(orders)).toEqual(['2 confirmed', '3 pending']);
  expect(asked).toEqual(['']);
});

test('an order that settled unseen is settled from a further page, which adds none', async () => {
  const orders = createKnownOrders(10, () => {});
  orders.take(order('1', Order_State.PENDING));
  const { asked, list } = pagesOf(
    [order('4', Order_State.CONFIRMED)],
    [order('3', Order_State.CONFIRMED)],
    [order('1', Order_State.REJECTED)],
    [order('0', Order_State.CONFIRMED)],
  );
  await listKnown(orders, alice, 10, list);
  expect(states(orders)).toEqual(['1 rejected', '4 confirmed']);
  expect(asked).toEqual(['', '1', '2']);
});

test('a pending order that is not listed is forgotten, and those of another customer stay', async () => {
  const orders = createKnownOrders(10, () => {});
  orders.take(order('1', Order_State.PENDING));
  orders.take(order('2', Order_State.PENDING, 'bob'));
  const { asked, list } = pagesOf(
    [order('4', Order_State.CONFIRMED)],
    [order('3', Order_State.CONFIRMED)],
    [order('1', Order_State.CONFIRMED)],
  );
  await listKnown(orders, alice, 2, list);
  expect(states(orders)).toEqual(['2 pending', '4 confirmed']);
  expect(asked).toEqual(['', '1']);
});
