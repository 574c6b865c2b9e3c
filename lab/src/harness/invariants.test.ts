import { randomUUID } from 'node:crypto';
import type { Pool } from '@acme/postgres/pool/pool';
import { linesOf } from '@acme/test/support/order-lines';
import { test as pairTest } from '@acme/test/support/pair-test';
import { expect } from 'vitest';
import type { Answer, Books } from './invariants.ts';
import { judgeBooks } from './verdict.ts';

/** The books of a CONFIRMED order of 2 A and 1 B, and what its customer was answered. What a test writes is undone. */
const test = pairTest.extend('kept', async ({ pair, customer, customerId }, { onCleanup }) => {
  await pair.setStock({ A: 1000, B: 1000 });
  const requestId = randomUUID();
  const units = { A: 2, B: 1 };
  const { order } = await customer.orders.placeOrder({ requestId, lines: linesOf(units) });
  const answer: Answer = { customerId, requestId, orderId: order?.id ?? '', state: 'CONFIRMED', units };
  const opened = new AsyncDisposableStack();
  onCleanup(() => opened.disposeAsync());
  const begin = async (pool: Pool) => {
    const client = opened.adopt(await pool.connect(), (each) => each.release());
    await client.query('BEGIN');
    opened.defer(async () => void (await client.query('ROLLBACK')));
    return client;
  };
  const ordersDatabase = await begin(pair.ordersDatabase);
  const inventoryDatabase = await begin(pair.inventoryDatabase);
  const books: Books = { ordersDatabase, inventoryDatabase };
  return { books, answer };
});

async function allErrors(books: Books, answers: readonly Answer[]): Promise<string[]> {
  return Object.values(await judgeBooks(books, answers)).flat();
}

test('ensure books that are right are found right', async ({ kept: { books, answer } }) => {
  expect(await allErrors(books, [answer, { ...answer, state: 'PENDING' }])).toEqual([]);
});

test.for([
  ['a unit reserved for nobody', `UPDATE stock SET reserved = reserved + 1 WHERE sku = 'A'`, /^A: /],
  [
    'more reserved than there is',
    `ALTER TABLE stock DROP CONSTRAINT stock_not_oversold; UPDATE stock SET on_hand = 1 WHERE sku = 'A'`,
    /^A: 1 on hand, \d+ reserved$/,
  ],
  ['a reservation of a SKU that is gone', `DELETE FROM stock WHERE sku = 'B'`, /^B: {2}reserved/],
  ['a confirmed order without its reservation', `DELETE FROM reservations`, /^order .* CONFIRMED and holds /],
  [
    'a confirmed order whose reservation was released',
    `UPDATE reservations SET state = 'RELEASED'`,
    /^order .* CONFIRMED and holds /,
  ],
  [
    'a reservation of other lines',
    `UPDATE reservations SET lines = '[{"sku": "A", "quantity": 2}]'`,
    /^order .* CONFIRMED and holds 2 A, not 1 B, 2 A$/,
  ],
  [
    'a reservation without an order',
    `INSERT INTO reservations SELECT gen_random_uuid(), state, '[]', refusal, now(), now() FROM reservations LIMIT 1`,
    /^reservation .* has no order$/,
  ],
] as const)('ensure inventory is caught with %s', async ([, spoil, error], { kept: { books, answer } }) => {
  await books.inventoryDatabase.query(spoil);
  expect(await allErrors(books, [answer])).toContainEqual(expect.stringMatching(error));
});

test.for([
  ['an order that is lost', `DELETE FROM orders`, /^order .* does not exist$/],
  [
    'a cancelled order that still holds stock',
    `UPDATE orders SET state = 'CANCELLED'`,
    /^order .* is CANCELLED and holds 1 B, 2 A, not nothing$/,
  ],
  [
    'an order that went back',
    `UPDATE orders SET state = 'PENDING', settle_after = now()`,
    /was answered CONFIRMED and is PENDING$/,
  ],
  [
    'an order that nobody settled',
    `UPDATE orders SET state = 'PENDING', settle_after = now()`,
    /is PENDING and not settled$/,
  ],
  ['a release that is still owed', `UPDATE orders SET settle_after = now()`, /is CONFIRMED and not settled$/],
  ['lines that changed', `UPDATE orders SET lines = '[]'`, /^order .* holds $/],
  ['an order of somebody else', `UPDATE orders SET customer_id = 'bob'`, /is of another request$/],
  ['an event that is missing', `DELETE FROM order_events WHERE version = 2`, /its events say PENDING$/],
  [
    'a state that was skipped',
    `UPDATE order_events SET state = 'REJECTED' WHERE version = 1`,
    /its events say REJECTED CONFIRMED$/,
  ],
] as const)('ensure orders is caught with %s', async ([, spoil, error], { kept: { books, answer } }) => {
  await books.ordersDatabase.query(spoil);
  expect(await allErrors(books, [answer])).toContainEqual(expect.stringMatching(error));
});
