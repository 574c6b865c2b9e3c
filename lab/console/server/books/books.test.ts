import { randomUUID } from 'node:crypto';
import type { Acknowledgement } from '@acme/lab/harness/invariants';
import { linesOf } from '@acme/test/support/order-lines';
import { test as pairTest } from '@acme/test/support/pair-test';
import { expect } from 'vitest';
import { createAcknowledgements } from './acknowledgements.ts';
import { openBooks } from './books.ts';
import { type PacedCheck, pauseAfter, startPacedCheck } from './paced-check.ts';
import { placedAtMs, placedBetween } from './placed-between.ts';

/** Books of the pair's databases, and a function that places an order of an item and acknowledges it. */
const test = pairTest.extend('shop', async ({ pair, customer, customerId }, { onCleanup }) => {
  const { ordersDatabase, inventoryDatabase } = pair;
  const databases = { ordersDatabase, inventoryDatabase, [Symbol.asyncDispose]: async () => {} };
  const keeper = openBooks(
    () => databases,
    () => {},
  );
  onCleanup(() => keeper[Symbol.asyncDispose]());
  const order = async (sku: string): Promise<Acknowledgement> => {
    const requestId = randomUUID();
    const units = { [sku]: 1 };
    const { order } = await customer.orders.placeOrder({ requestId, lines: linesOf(units) });
    const placed = { customerId, requestId, orderId: order?.id ?? '', state: 'CONFIRMED', units } as const;
    keeper.acknowledge(placed);
    return placed;
  };
  return { keeper, order };
});

test('orders that the databases hold as they were acknowledged are in order', async ({ pair, shop }) => {
  await pair.setStock({ kept: 10 });
  for (let number = 0; number < 3; number++) await shop.order('kept');
  const beganMs = Date.now();
  await expect.poll(() => shop.keeper.books.checkedAtMs).toBeGreaterThan(beganMs);
  expect(shop.keeper.books).toMatchObject({
    acknowledged: 3,
    lost: 0,
    oversold: 0,
    unsettled: 0,
    wrong: 0,
    problems: [],
    cannotCheck: null,
  });
  expect(shop.keeper.books.orders.confirmed).toBeGreaterThanOrEqual(3);
});

test('an acknowledged order that disappears is lost, also after its first check', async ({ pair, shop }) => {
  await pair.setStock({ lost: 10 });
  const { orderId } = await shop.order('lost');
  const beganMs = Date.now();
  await expect.poll(() => shop.keeper.books.checkedAtMs).toBeGreaterThan(beganMs);
  expect(shop.keeper.books.lost).toBe(0);
  await pair.ordersDatabase.query('DELETE FROM orders WHERE id = $1', [orderId]);
  await expect.poll(() => shop.keeper.books.lost).toBe(1);
  expect(shop.keeper.books.problems).toContain(`order ${orderId} does not exist`);
});

test('a SKU with more units reserved than in orders is oversold, also after it is mended', async ({
  pair,
  shop,
}) => {
  await pair.setStock({ sold: 10 });
  const { inventoryDatabase } = pair;
  await inventoryDatabase.query(`UPDATE stock SET reserved = reserved + 1 WHERE sku = 'sold'`);
  await expect.poll(() => shop.keeper.books.problems).toContain('sold: 1 reserved,  in live reservations');
  const { oversold } = shop.keeper.books;
  await inventoryDatabase.query(`UPDATE stock SET reserved = 0 WHERE sku = 'sold'`);
  const beganMs = Date.now();
  await expect.poll(() => shop.keeper.books.checkedAtMs).toBeGreaterThan(beganMs);
  expect(shop.keeper.books.oversold).toBe(oversold);
});

test('an order that differs from its acknowledgement is wrong', async ({ pair, shop }) => {
  await pair.setStock({ other: 10 });
  const placed = await shop.order('other');
  shop.keeper.acknowledge({ ...placed, units: { other: 2 } });
  await expect.poll(() => shop.keeper.books.wrong).toBe(1);
  expect(shop.keeper.books.problems[0]).toBe(`order ${placed.orderId} holds 1 other`);
});

test('a settled order that lost its reservation is wrong', async ({ pair, shop }) => {
  await pair.setStock({ released: 10 });
  const { orderId } = await shop.order('released');
  await pair.inventoryDatabase.query(`UPDATE reservations SET state = 'RELEASED' WHERE id = $1`, [orderId]);
  await expect
    .poll(() => shop.keeper.books.problems.join())
    .toContain(`order ${orderId} is CONFIRMED and holds nothing, not 1 released`);
});

test('orders that are not settled are counted', async ({ pair, customer, shop }) => {
  await pair.setStock({ pending: 10 });
  await pair.stopInventory();
  await customer.orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ pending: 1 }) });
  await expect.poll(() => shop.keeper.books).toMatchObject({ unsettled: 1, orders: { pending: 1 } });
  await pair.restartInventory();
  await expect.poll(() => shop.keeper.books).toMatchObject({ unsettled: 0, orders: { pending: 0 } });
});

const numbered = (number: number): Acknowledgement => ({
  customerId: 'customer',
  requestId: '',
  orderId: String(number),
  state: 'PENDING',
  units: {},
});

test('new acknowledgements are checked first, and all again in turn, without growing', () => {
  const acknowledgements = createAcknowledgements();
  for (let number = 0; number < 30_000; number++) acknowledgements.add(numbered(number));
  acknowledgements.add(numbered(29_999));
  expect(acknowledgements.count).toBe(30_000);
  const seen = new Map<string, number>();
  for (let round = 0; round < 60; round++) {
    const next = acknowledgements.next();
    for (const { orderId } of next) seen.set(orderId, (seen.get(orderId) ?? 0) + 1);
    acknowledgements.checked(next);
  }
  expect(seen.size).toBe(20_000);
  expect(Math.min(...seen.values())).toBeGreaterThanOrEqual(2);
});

test('a check that fails is reported until it succeeds, and the next one follows', async () => {
  const beganMs = Date.now();
  const results: Pick<PacedCheck, 'failure' | 'checkedAtMs'>[] = [];
  const check = async () => {
    if (results.length === 0) throw new Error('the database is down');
  };
  await using paced = startPacedCheck(check, () => {
    const { failure, checkedAtMs } = paced;
    results.push({ failure, checkedAtMs });
  });
  await expect.poll(() => results.length, { timeout: 10_000 }).toBeGreaterThan(1);
  const [first, second] = results;
  expect(first).toEqual({ failure: 'the database is down', checkedAtMs: undefined });
  expect(second).toEqual({ failure: undefined, checkedAtMs: expect.any(Number) });
  expect(second?.checkedAtMs).toBeGreaterThanOrEqual(beganMs);
});

test('a check that takes long rests for long, also when it fails, but then for a minute at most', () => {
  expect(pauseAfter(1, false)).toBe(1000);
  expect(pauseAfter(1, true)).toBe(1000);
  expect(pauseAfter(3000, true)).toBe(30_000);
  expect(pauseAfter(300_000, true)).toBe(60_000);
  expect(pauseAfter(300_000, false)).toBe(3_000_000);
});

test('the ids of orders sort by the time at which they are placed', () => {
  const id = '01a21ae5-7799-7499-8619-a8f5e5238289';
  const atMs = placedAtMs(id);
  expect(new Date(atMs).toISOString()).toBe('2026-11-27T02:46:15.705Z');
  const { after, before } = placedBetween(atMs, atMs + 1);
  expect([after, id, before].toSorted()).toEqual([after, id, before]);
});
