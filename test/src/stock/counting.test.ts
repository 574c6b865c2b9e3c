import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { linesOf } from '../support/order-lines.ts';
import { test as pairTest } from '../support/pair-test.ts';

const test = pairTest.extend('warehouse', async ({ pair }) => {
  const scopes = ['inventory:read', 'inventory:write', 'inventory:reserve'];
  const { inventory } = await pair.clientsFor('warehouse', scopes);
  return inventory;
});

test('counts are applied and confirmed in order, and the session ends when the client half-closes', async ({
  pair,
  warehouse,
}) => {
  await pair.setStock({ 'count-1': 10, 'count-2': 10 });
  const responses = await Array.fromAsync(
    warehouse.countStock([
      { sku: 'count-1', counted: 7n },
      { sku: 'count-2', counted: 10n },
      { sku: 'count-1', counted: 12n },
    ]),
  );
  expect(responses).toMatchObject([
    { sku: 'count-1', counted: 7n, expected: 10n, difference: -3n, errorReason: '' },
    { sku: 'count-2', counted: 10n, expected: 10n, difference: 0n, errorReason: '' },
    { sku: 'count-1', counted: 12n, expected: 7n, difference: 5n, errorReason: '' },
  ]);
  const { stocks } = await warehouse.listStock({ skuPrefix: 'count-' });
  expect(stocks.map(({ onHand }) => onHand)).toEqual([12n, 10n]);
  expect(await Array.fromAsync(warehouse.countStock([]))).toEqual([]);
});

test('a repeated count changes the etag only once', async ({ pair, warehouse }) => {
  await pair.setStock({ again: 3 });
  const before = await warehouse.getStock({ sku: 'again' });
  const counted = { sku: 'again', counted: 4n };
  await Array.fromAsync(warehouse.countStock([counted]));
  const { stock } = await warehouse.getStock({ sku: 'again' });
  expect(stock?.etag).not.toBe(before.stock?.etag);
  expect(await Array.fromAsync(warehouse.countStock([counted, counted]))).toMatchObject([
    { expected: 4n, difference: 0n, errorReason: '' },
    { expected: 4n, difference: 0n, errorReason: '' },
  ]);
  expect(await warehouse.getStock({ sku: 'again' })).toMatchObject({ stock });
});

test('a count that cannot be applied is returned with its reason, and the session continues', async ({
  pair,
  warehouse,
}) => {
  await pair.setStock({ survives: 10 });
  const lines = linesOf({ survives: 4 });
  await warehouse.reserveStock({ reservationId: randomUUID(), lines });
  const counts = [
    ['survives', 3n, 10n, 0n, 'COUNT_BELOW_RESERVED'],
    ['survives', -1n, 10n, 0n, 'COUNT_OUT_OF_RANGE'],
    ['survives', -(2n ** 63n), 10n, 0n, 'COUNT_OUT_OF_RANGE'],
    ['survives', 10n ** 12n + 1n, 10n, 0n, 'COUNT_OUT_OF_RANGE'],
    ['there-is-none', 5n, 0n, 0n, 'SKU_NOT_FOUND'],
    ['', 5n, 0n, 0n, 'SKU_NOT_FOUND'],
    ['mis\0read', 5n, 0n, 0n, 'SKU_NOT_FOUND'],
    ['x'.repeat(10_000), 5n, 0n, 0n, 'SKU_NOT_FOUND'],
    ['survives', 4n, 10n, -6n, ''],
  ] as const;
  const session = warehouse.countStock(counts.map(([sku, counted]) => ({ sku, counted })));
  const responses = (await Array.fromAsync(session)).map(
    ({ sku, counted, expected, difference, errorReason }) => [
      sku,
      counted,
      expected,
      difference,
      errorReason,
    ],
  );
  expect(responses).toEqual(counts);
  const { stock } = await warehouse.getStock({ sku: 'survives' });
  expect(stock).toMatchObject({ onHand: 4n, reserved: 4n, available: 0n });
});
