import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { ListOrdersResponseSchema } from '@acme/gen/orders/v1/order_service_pb';
import { Code } from '@acme/rpc/errors';
import { BadRequestSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { callUntilAccepted, rejectionOf } from '@acme/rpc/testing';
import { toBinary } from '@bufbuild/protobuf';
import { expect } from 'vitest';
import { linesOf } from '../support/order-lines.ts';
import { test } from '../support/pair-test.ts';
import type { Clients } from '../support/start-test-pair.ts';

/** Places orders of one unit of the SKU, one after another. Returns their ids. */
async function placeMany({ orders }: Clients, count: number, sku: string): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const request = { requestId: randomUUID(), lines: linesOf({ [sku]: 1 }) };
    const { order } = await callUntilAccepted(() => orders.placeOrder(request));
    ids.push(order?.id ?? '');
  }
  return ids;
}

test('pages contain each order once, newest first, while new orders are placed', async ({
  pair,
  customer,
}) => {
  await pair.setStock({ paged: 100 });
  const placed = await placeMany(customer, 7, 'paged');
  const listed: string[] = [];
  let pageToken = '';
  do {
    const page = await customer.orders.listOrders({ pageSize: 3, pageToken });
    expect(page.orders.length).toBeLessThanOrEqual(3);
    listed.push(...page.orders.map(({ id }) => id));
    pageToken = page.nextPageToken;
    await placeMany(customer, 1, 'paged');
  } while (pageToken !== '');
  expect(listed).toEqual(placed.toReversed());
});

test('a full last page has no next_page_token', async ({ pair, customer }) => {
  await pair.setStock({ full: 100 });
  await placeMany(customer, 4, 'full');
  const first = await customer.orders.listOrders({ pageSize: 2 });
  const second = await customer.orders.listOrders({ pageSize: 2, pageToken: first.nextPageToken });
  expect([first.orders.length, second.orders.length]).toEqual([2, 2]);
  expect([first.nextPageToken === '', second.nextPageToken]).toEqual([false, '']);
});

test('a page holds 50 orders by default and at most 200', async ({ pair, customer }) => {
  await pair.setStock({ many: 1000 });
  await Promise.all(Array.from({ length: 7 }, () => placeMany(customer, 30, 'many')));
  const sizeOf = async (pageSize: number) => (await customer.orders.listOrders({ pageSize })).orders.length;
  expect(await Promise.all([0, 1, 200, 201, 2 ** 31 - 1].map(sizeOf))).toEqual([50, 1, 200, 200, 200]);
});

test('orders of 1,000 lines are listed whole, in pages of at most 256 KiB', async ({
  pair,
  customer,
  customerId,
}) => {
  const count = 60;
  await pair.ordersDatabase.query(
    `INSERT INTO orders (id, customer_id, request_id, fingerprint, lines, state, rejection, create_time, update_time)
     SELECT uuidv7(), $1, gen_random_uuid(), '', lines, 'REJECTED',
            jsonb_build_object('reason', 'OUT_OF_STOCK', 'items', '[]'::jsonb), now(), now()
     FROM generate_series(1, $2::int),
          (SELECT jsonb_agg(jsonb_build_object('sku', 'sku-' || n, 'quantity', 1)) AS lines
           FROM generate_series(1, 1000) AS n) AS large`,
    [customerId, count],
  );
  for (const pageSize of [0, 200]) {
    const listed = new Set<string>();
    let pages = 0;
    let pageToken = '';
    do {
      const page = await customer.orders.listOrders({ pageSize, pageToken });
      expect(toBinary(ListOrdersResponseSchema, page).length).toBeLessThan(256 * 1024);
      for (const { id, lines } of page.orders) {
        expect(lines).toHaveLength(1000);
        listed.add(id);
      }
      pageToken = page.nextPageToken;
      pages++;
    } while (pageToken !== '');
    expect(listed.size).toBe(count);
    // An order of 1,000 lines takes about 35 kB of text in the database, so a page has more than five orders.
    expect(pages).toBeLessThan(count / 5);
  }
});

test('a customer lists only their own orders, filtered by state', async ({ pair, customer }) => {
  await pair.setStock({ mine: 3 });
  const other = await pair.clientsFor(`customer-${randomUUID()}`);
  await placeMany(other, 1, 'mine');
  const [confirmed, cancelled] = await placeMany(customer, 2, 'mine');
  await customer.orders.cancelOrder({ id: cancelled ?? '' });
  await rejectionOf(placeMany(customer, 1, 'not sold here'));
  const idsIn = async (state: Order_State) =>
    (await customer.orders.listOrders({ state })).orders.map(({ id }) => id);
  expect(await idsIn(Order_State.CONFIRMED)).toEqual([confirmed]);
  expect(await idsIn(Order_State.CANCELLED)).toEqual([cancelled]);
  expect(await idsIn(Order_State.REJECTED)).toHaveLength(1);
  expect(await idsIn(Order_State.PENDING)).toEqual([]);
  expect(await idsIn(Order_State.UNSPECIFIED)).toHaveLength(3);
});

test('the pages of a filtered list contain only matching orders', async ({ pair, customer }) => {
  await pair.setStock({ filtered: 100 });
  const placed = await placeMany(customer, 6, 'filtered');
  const kept = placed.filter((_id, index) => index % 2 === 0);
  for (const id of placed.filter((id) => !kept.includes(id))) await customer.orders.cancelOrder({ id });
  const filter = { state: Order_State.CONFIRMED, pageSize: 2 };
  const first = await customer.orders.listOrders(filter);
  const second = await customer.orders.listOrders({ ...filter, pageToken: first.nextPageToken });
  expect([...first.orders, ...second.orders].map(({ id }) => id)).toEqual(kept.toReversed());
  expect(second.nextPageToken).toBe('');
});

test('a page token that is altered or belongs to another list is rejected', async ({ pair, customer }) => {
  await pair.setStock({ token: 100, 'token-2': 100 });
  await placeMany(customer, 2, 'token');
  const other = await pair.clientsFor(`customer-${randomUUID()}`);
  const { nextPageToken: token } = await customer.orders.listOrders({ pageSize: 1 });
  const { nextPageToken: ofStock } = await customer.inventory.listStock({ pageSize: 1 });
  const flipped = `${token.slice(0, 5)}${token[5] === 'A' ? 'B' : 'A'}${token.slice(6)}`;
  for (const list of [
    () => customer.orders.listOrders({ pageToken: flipped }),
    () => customer.orders.listOrders({ pageToken: `${token}AAAA` }),
    () => customer.orders.listOrders({ pageToken: 'no token at all' }),
    () => customer.orders.listOrders({ pageToken: ofStock }),
    () => customer.orders.listOrders({ pageToken: token, state: Order_State.CONFIRMED }),
    () => other.orders.listOrders({ pageToken: token }),
    () => customer.inventory.listStock({ pageToken: token }),
    () => customer.inventory.listStock({ pageToken: ofStock, skuPrefix: 't' }),
  ]) {
    const error = await rejectionOf(list());
    expect(error.code).toBe(Code.INVALID_ARGUMENT);
    expect(error.findDetail(BadRequestSchema)?.fieldViolations).toMatchObject([{ field: 'page_token' }]);
  }
  expect((await customer.orders.listOrders({ pageToken: token })).orders).toHaveLength(1);
});
