import { randomUUID } from 'node:crypto';
import type { Pool } from '@acme/postgres/pool';
import { linesOf } from '@acme/test/support/order-lines';
import { test as pairTest } from '@acme/test/support/pair-test';
import { expect } from 'vitest';
import type { Acknowledgement, Databases } from './invariants.ts';
import { judgeDatabases } from './verdict.ts';

/** Databases with a CONFIRMED order of 2 A and 1 B, and its acknowledgement. Writes of a test are rolled back. */
const test = pairTest.extend('kept', async ({ pair, customer, customerId }, { onCleanup }) => {
  await pair.setStock({ A: 1000, B: 1000 });
  const requestId = randomUUID();
  const units = { A: 2, B: 1 };
  const { order } = await customer.orders.placeOrder({ requestId, lines: linesOf(units) });
  const answer: Acknowledgement = {
    customerId,
    requestId,
    orderId: order?.id ?? '',
    state: 'CONFIRMED',
    units,
  };
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
  const databases: Databases = { ordersDatabase, inventoryDatabase };
  return { databases, answer };
});

async function allErrors(databases: Databases, answers: readonly Acknowledgement[]): Promise<string[]> {
  return Object.values(await judgeDatabases(databases, answers)).flat();
}

test('consistent databases have no errors', async ({ kept: { databases, answer } }) => {
  expect(await allErrors(databases, [answer, { ...answer, state: 'PENDING' }])).toEqual([]);
});

test('pruned events and forgotten requests are no errors', async ({ kept: { databases, answer } }) => {
  const { ordersDatabase } = databases;
  await ordersDatabase.query(
    `INSERT INTO orders SELECT uuidv7(), customer_id, NULL, NULL, lines, 'REJECTED', '{}', version,
                               create_time, update_time FROM orders`,
  );
  await ordersDatabase.query(`UPDATE orders SET request_id = NULL, fingerprint = NULL`);
  await ordersDatabase.query(`DELETE FROM order_events WHERE version = 1`);
  await ordersDatabase.query(`UPDATE change_feeds SET pruned_seq = 1`);
  expect(await allErrors(databases, [])).toEqual([]);
  await ordersDatabase.query(`UPDATE orders SET create_time = now() + interval '1 hour'`);
  expect(await allErrors(databases, [])).toContainEqual(
    expect.stringMatching(`^order ${answer.orderId} .* its events are CONFIRMED$`),
  );
});

test.for([
  [
    'a reserved unit without a reservation',
    `UPDATE stock SET reserved = reserved + 1 WHERE sku = 'A'`,
    /^A: /,
  ],
  [
    'a SKU with more units reserved than on hand',
    `ALTER TABLE stock DROP CONSTRAINT stock_not_oversold; UPDATE stock SET on_hand = 1 WHERE sku = 'A'`,
    /^A: 1 on hand, \d+ reserved$/,
  ],
  ['a reservation of a deleted SKU', `DELETE FROM stock WHERE sku = 'B'`, /^B: {2}reserved/],
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
] as const)('%s is reported', async ([, spoil, error], { kept: { databases, answer } }) => {
  await databases.inventoryDatabase.query(spoil);
  expect(await allErrors(databases, [answer])).toContainEqual(expect.stringMatching(error));
});

test.for([
  ['a lost order', `DELETE FROM orders`, /^order .* does not exist$/],
  [
    'a cancelled order that still holds stock',
    `UPDATE orders SET state = 'CANCELLED'`,
    /^order .* is CANCELLED and holds 1 B, 2 A, not nothing$/,
  ],
  [
    'an order whose state moved backwards',
    `UPDATE orders SET state = 'PENDING', settle_after = now()`,
    /was answered CONFIRMED and is PENDING$/,
  ],
  [
    'an order that is not settled',
    `UPDATE orders SET state = 'PENDING', settle_after = now()`,
    /is PENDING and not settled$/,
  ],
  ['an outstanding release', `UPDATE orders SET settle_after = now()`, /is CONFIRMED and not settled$/],
  ['an order whose lines changed', `UPDATE orders SET lines = '[]'`, /^order .* holds $/],
  ['an order of another customer', `UPDATE orders SET customer_id = 'bob'`, /belongs to another request$/],
  ['a missing event', `DELETE FROM order_events WHERE version = 2`, /its events are PENDING$/],
  [
    'an impossible sequence of events',
    `UPDATE order_events SET state = 'REJECTED' WHERE version = 1`,
    /its events are REJECTED CONFIRMED$/,
  ],
] as const)('%s is reported', async ([, spoil, error], { kept: { databases, answer } }) => {
  await databases.ordersDatabase.query(spoil);
  expect(await allErrors(databases, [answer])).toContainEqual(expect.stringMatching(error));
});
