import { randomUUID } from 'node:crypto';
import type { Order_State } from '@acme/gen/orders/v1/order_pb';
import { Code } from '@acme/rpc/errors';
import { BadRequestSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { rejectionOf } from '@acme/rpc/testing';
import { describe, expect } from 'vitest';
import { linesOf } from '../support/order-lines.ts';
import { test as pairTest } from '../support/pair-test.ts';
import type { Clients } from '../support/start-test-pair.ts';

const test = pairTest.extend('clients', ({ pair }) =>
  pair.clientsFor('caller', [
    'orders:read',
    'orders:read:any',
    'orders:write',
    'orders:write:any',
    'inventory:read',
    'inventory:write',
    'inventory:reserve',
  ]),
);

type Line = { sku: string; quantity: number };
type BadCall = readonly [name: string, call: (clients: Clients) => Promise<unknown>, fields: string[]];

const id = '0198c0de-0000-7000-8000-000000000001';
const manyLines = Array.from({ length: 1001 }, (_, index) => ({ sku: `A${index}`, quantity: 1 }));
const goodReserve = { reservationId: id, lines: [{ sku: 'A', quantity: 1 }] };
const badLines: Line[] = [
  { sku: '', quantity: 0 },
  { sku: 'x'.repeat(65), quantity: -1 },
  { sku: 'bell\u0007', quantity: 1_000_001 },
  { sku: 'good', quantity: 1 },
  { sku: 'zero\u0000', quantity: 1 },
  { sku: '🧀'.repeat(65), quantity: 2 ** 31 - 1 },
];
const badLineFields = [
  'lines[0].sku',
  'lines[0].quantity',
  'lines[1].sku',
  'lines[1].quantity',
  'lines[2].sku',
  'lines[2].quantity',
  'lines[4].sku',
  'lines[5].sku',
  'lines[5].quantity',
];
const repeated: Line[] = [...linesOf({ B: 1, A: 1 }), ...linesOf({ A: 1, C: 1, B: 2 }), ...linesOf({ A: 3 })];
const repeatedFields = ['lines[2].sku', 'lines[4].sku', 'lines[5].sku'];

/** Resolves to the first response of a watch. */
async function firstOf<Response>(responses: AsyncIterable<Response>): Promise<Response | undefined> {
  for await (const response of responses) return response;
  return undefined;
}

const badCalls: readonly BadCall[] = [
  ['PlaceOrder with nothing', ({ orders }) => orders.placeOrder({}), ['request_id', 'lines']],
  [
    'PlaceOrder with a request_id that is no UUID, and no lines',
    ({ orders }) => orders.placeOrder({ requestId: `${id}0` }),
    ['request_id', 'lines'],
  ],
  [
    'PlaceOrder with 1,001 lines, and a customer with a line feed',
    ({ orders }) => orders.placeOrder({ requestId: id, lines: manyLines, customerId: 'a\nb' }),
    ['lines', 'customer_id'],
  ],
  [
    'PlaceOrder with bad lines, and a customer that is too long',
    ({ orders }) => orders.placeOrder({ requestId: id, lines: badLines, customerId: 'x'.repeat(129) }),
    [...badLineFields, 'customer_id'],
  ],
  [
    'PlaceOrder with SKUs that come twice',
    ({ orders }) => orders.placeOrder({ requestId: id, lines: repeated }),
    repeatedFields,
  ],
  ['GetOrder without an id', ({ orders }) => orders.getOrder({}), ['id']],
  ['GetOrder with an id that is no UUID', ({ orders }) => orders.getOrder({ id: "' OR true --" }), ['id']],
  [
    'ListOrders with a negative page_size, an unknown state, a long token and a long customer',
    ({ orders }) =>
      orders.listOrders({
        pageSize: -1,
        state: 99 as Order_State,
        pageToken: 'x'.repeat(1025),
        customerId: 'x'.repeat(129),
      }),
    ['page_size', 'page_token', 'customer_id', 'state'],
  ],
  [
    'CancelOrder with no UUID and a long etag',
    ({ orders }) => orders.cancelOrder({ id: 'x', etag: 'x'.repeat(65) }),
    ['id', 'etag'],
  ],
  ['GetStock without a SKU', ({ inventory }) => inventory.getStock({}), ['sku']],
  ['GetStock with a zero byte', ({ inventory }) => inventory.getStock({ sku: 'a\u0000' }), ['sku']],
  [
    'ListStock with a negative page_size, a long token and a control character',
    ({ inventory }) =>
      inventory.listStock({ pageSize: -(2 ** 31), pageToken: 'x'.repeat(1025), skuPrefix: '\u0085' }),
    ['page_size', 'page_token', 'sku_prefix'],
  ],
  ['ReserveStock with nothing', ({ inventory }) => inventory.reserveStock({}), ['reservation_id', 'lines']],
  [
    'ReserveStock with 1,001 lines',
    ({ inventory }) => inventory.reserveStock({ reservationId: id, lines: manyLines }),
    ['lines'],
  ],
  [
    'ReserveStock with bad lines',
    ({ inventory }) => inventory.reserveStock({ reservationId: 'x', lines: badLines }),
    ['reservation_id', ...badLineFields],
  ],
  [
    'ReserveStock with SKUs that come twice',
    ({ inventory }) => inventory.reserveStock({ reservationId: id, lines: repeated }),
    repeatedFields,
  ],
  ['BatchReserveStock of nothing', ({ inventory }) => inventory.batchReserveStock({}), ['requests']],
  [
    'BatchReserveStock with a bad reservation among good ones',
    ({ inventory }) =>
      inventory.batchReserveStock({ requests: [goodReserve, { reservationId: 'x', lines: [] }] }),
    ['requests[1].reservation_id', 'requests[1].lines'],
  ],
  [
    'BatchReserveStock of 1,001 lines in all',
    ({ inventory }) =>
      inventory.batchReserveStock({
        requests: [goodReserve, { reservationId: id, lines: manyLines.slice(0, 1000) }],
      }),
    ['requests'],
  ],
  ['ReleaseStock without an id', ({ inventory }) => inventory.releaseStock({}), ['reservation_id']],
  [
    'ImportStock with an id that is no UUID, and no item',
    ({ inventory }) => inventory.importStock([{ importId: 'x' }]),
    ['requests[0].import_id', 'requests[0].item'],
  ],
  [
    'ImportStock with more than there can be',
    ({ inventory }) =>
      inventory.importStock([
        { importId: randomUUID(), item: { sku: 'A', title: 'a\tb', onHand: 1_000_000_000_001n } },
      ]),
    ['requests[0].item.title', 'requests[0].item.on_hand'],
  ],
  [
    'ListOrders with a zero byte in the customer',
    ({ orders }) => orders.listOrders({ customerId: 'a\u0000' }),
    ['customer_id'],
  ],
  [
    'WatchOrders with a zero byte in the customer',
    ({ orders }) => firstOf(orders.watchOrders({ customerId: 'a\u0000' })),
    ['customer_id'],
  ],
  [
    'WatchStock with an empty SKU, a zero byte and a SKU that is too long',
    ({ inventory }) => firstOf(inventory.watchStock({ skus: ['', 'A', 'a\u0000', 'x'.repeat(65)] })),
    ['skus[0]', 'skus[2]', 'skus[3]'],
  ],
  [
    'WatchStock with a control character and more SKUs than are allowed',
    ({ inventory }) =>
      firstOf(inventory.watchStock({ skus: ['bell\u0007', ...manyLines.map(({ sku }) => sku)] })),
    ['skus', 'skus[0]'],
  ],
];

test.for(badCalls)('%s is INVALID_ARGUMENT with every violation', async ([, call, fields], { clients }) => {
  const error = await rejectionOf(call(clients));
  expect(error.code).toBe(Code.INVALID_ARGUMENT);
  const violations = error.findDetail(BadRequestSchema)?.fieldViolations ?? [];
  expect(violations.map(({ field }) => field)).toEqual(fields);
  for (const { description } of violations) expect(description).not.toBe('');
});

describe('at the limits', () => {
  test('the greatest values that the contract allows are accepted', async ({
    clients: { orders, inventory },
  }) => {
    const sku = '🧀'.repeat(64);
    const longest = {
      requestId: randomUUID(),
      lines: [{ sku, quantity: 1_000_000 }],
      customerId: 'ß'.repeat(128),
    };
    const importId = randomUUID();
    await inventory.importStock([
      { importId, item: { sku, title: 'ß'.repeat(256), onHand: 1_000_000_000_000n } },
    ]);
    const { order } = await orders.placeOrder(longest);
    expect(order).toMatchObject({ customerId: longest.customerId, lines: longest.lines });
    const { stocks } = await inventory.listStock({ skuPrefix: sku });
    expect(stocks).toMatchObject([{ onHand: 1_000_000_000_000n, reserved: 1_000_000n }]);
    const listed = await orders.listOrders({ customerId: longest.customerId });
    expect(listed.orders).toEqual([order]);
  });
});
