import { randomUUID } from 'node:crypto';
import { Code } from '@acme/rpc/errors';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
} from '@acme/rpc/gen/google/rpc/error_details_pb';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { linesOf } from '../support/order-lines.ts';
import { test as pairTest } from '../support/pair-test.ts';

const test = pairTest.extend('warehouse', async ({ pair }) => {
  const { inventory } = await pair.clientsFor('warehouse', ['inventory:read', 'inventory:write']);
  return inventory;
});

interface Row {
  importId?: string;
  item: { sku: string; title: string; onHand: bigint };
}

/** Returns the messages of an import, with the id in the first. */
function rowsOf(importId: string, counts: Readonly<Record<string, number>>): Row[] {
  return Object.entries(counts).map(([sku, count], index) => ({
    ...(index === 0 && { importId }),
    item: { sku, title: `the ${sku}`, onHand: BigInt(count) },
  }));
}

test('an import sets its items, counts the new ones, and leaves other items unchanged', async ({
  pair,
  warehouse,
}) => {
  await pair.setStock({ untouched: 5 });
  const first = await warehouse.importStock(rowsOf(randomUUID(), { 'set-1': 1, 'set-2': 2 }));
  expect(first).toMatchObject({ received: 2n, created: 2n, updated: 0n });
  const before = await warehouse.getStock({ sku: 'set-2' });
  const renamed = rowsOf(randomUUID(), { 'set-3': 3, 'set-2': 0 }).map(({ item, ...row }) => ({
    ...row,
    item: { ...item, title: `${item.title} again` },
  }));
  const second = await warehouse.importStock(renamed);
  expect(second).toMatchObject({ received: 2n, created: 1n, updated: 1n });
  const { stocks } = await warehouse.listStock({ skuPrefix: 'set-' });
  expect(stocks.map(({ sku, onHand }) => [sku, onHand])).toEqual([
    ['set-1', 1n],
    ['set-2', 0n],
    ['set-3', 3n],
  ]);
  expect(stocks[1]).toMatchObject({ title: 'the set-2 again', available: 0n });
  expect(stocks[1]?.etag).not.toBe(before.stock?.etag);
  expect((await warehouse.getStock({ sku: 'untouched' })).stock?.onHand).toBe(5n);
});

test('an import of several batches is stored completely', async ({ warehouse }) => {
  const counts = Object.fromEntries(Array.from({ length: 2500 }, (_, index) => [`large-${index}`, index]));
  const response = await warehouse.importStock(rowsOf(randomUUID(), counts));
  expect(response).toMatchObject({ received: 2500n, created: 2500n, updated: 0n });
  for (const index of [0, 999, 1000, 1999, 2000, 2499])
    expect((await warehouse.getStock({ sku: `large-${index}` })).stock?.onHand).toBe(BigInt(index));
});

test('an import with another number of rows than its item_count changes nothing', async ({ warehouse }) => {
  const rows = rowsOf(randomUUID(), { 'whole-1': 1, 'whole-2': 2 });
  const counted = (itemCount: bigint) => warehouse.importStock(rows.map((row) => ({ ...row, itemCount })));
  for (const itemCount of [1n, 3n]) {
    const refused = await rejectionOf(counted(itemCount));
    expect(refused.code).toBe(Code.ABORTED);
    expect(refused.findDetail(ErrorInfoSchema)?.reason).toBe('IMPORT_INCOMPLETE');
  }
  expect((await warehouse.listStock({ skuPrefix: 'whole-' })).stocks).toEqual([]);
  expect(await counted(2n)).toMatchObject({ received: 2n, created: 2n });
});

test('a repeated import returns the same summary and changes nothing', async ({ warehouse }) => {
  const importId = randomUUID();
  const first = await warehouse.importStock(rowsOf(importId, { repeated: 1 }));
  await warehouse.importStock(rowsOf(randomUUID(), { repeated: 9 }));
  const { stock } = await warehouse.getStock({ sku: 'repeated' });
  expect(await warehouse.importStock(rowsOf(importId, { repeated: 1 }))).toEqual(first);
  expect(await warehouse.importStock(rowsOf(importId.toUpperCase(), { repeated: 1 }))).toEqual(first);
  expect(await warehouse.getStock({ sku: 'repeated' })).toMatchObject({ stock });
});

test('a repeated import with another item_count is rejected', async ({ warehouse }) => {
  const importId = randomUUID();
  const rows = rowsOf(importId, { 'reused-1': 1, 'reused-2': 2 });
  const first = await warehouse.importStock(rows);
  const another = rowsOf(importId, { 'reused-3': 3 }).map((row) => ({ ...row, itemCount: 1n }));
  const error = await rejectionOf(warehouse.importStock(another));
  expect(error.code).toBe(Code.FAILED_PRECONDITION);
  expect(error.findDetail(ErrorInfoSchema)).toMatchObject({
    reason: 'IMPORT_ID_REUSED',
    metadata: { import_id: importId },
  });
  expect(await warehouse.importStock(rows.map((row) => ({ ...row, itemCount: 2n })))).toEqual(first);
});

test('import_id is required in the first message and ignored in the others', async ({ warehouse }) => {
  const row = { item: { sku: 'where-is-the-id', title: '', onHand: 1n } };
  for (const requests of [[], [row], [row, { ...row, importId: randomUUID() }]]) {
    const error = await rejectionOf(warehouse.importStock(requests));
    expect(error.code).toBe(Code.INVALID_ARGUMENT);
    expect(error.findDetail(BadRequestSchema)?.fieldViolations).toMatchObject([
      { field: 'requests[0].import_id' },
    ]);
  }
  const importId = randomUUID();
  const other = { importId: randomUUID(), item: { sku: 'and-another', title: '', onHand: 1n } };
  expect(await warehouse.importStock([{ ...row, importId }, other])).toMatchObject({ created: 2n });
  expect(await warehouse.importStock([{ ...row, importId }])).toMatchObject({ created: 2n });
});

test('an invalid row is named by its position, and nothing is imported', async ({ warehouse }) => {
  const importId = randomUUID();
  const rows = rowsOf(importId, { 'bad-0': 1, 'bad-1': 1, 'bad-2': 1 });
  const bad = { item: { sku: '', title: 'x'.repeat(257), onHand: -1n } };
  const error = await rejectionOf(warehouse.importStock([...rows, bad, bad]));
  expect(error.code).toBe(Code.INVALID_ARGUMENT);
  expect(error.findDetail(BadRequestSchema)?.fieldViolations.map(({ field }) => field)).toEqual([
    'requests[3].item.sku',
    'requests[3].item.title',
    'requests[3].item.on_hand',
  ]);
  expect((await warehouse.listStock({ skuPrefix: 'bad-' })).stocks).toEqual([]);
  // The failed import has not used the id.
  expect(await warehouse.importStock(rows)).toMatchObject({ received: 3n, created: 3n });
});

test('a repeated SKU is named with both positions, and nothing is imported', async ({ warehouse }) => {
  const rows = rowsOf(randomUUID(), { 'twice-1': 1, 'twice-2': 1, 'twice-3': 1 });
  const again = rowsOf('', { 'twice-2': 2 });
  const error = await rejectionOf(warehouse.importStock([...rows, ...again]));
  expect(error.code).toBe(Code.INVALID_ARGUMENT);
  expect(error.findDetail(BadRequestSchema)?.fieldViolations).toMatchObject([
    { field: 'requests[3].item.sku', description: 'names twice-2 again, as requests[1] does' },
  ]);
  expect((await warehouse.listStock({ skuPrefix: 'twice-' })).stocks).toEqual([]);
});

test('an import cannot set on_hand below reserved', async ({ pair, warehouse, customer }) => {
  await pair.setStock({ 'promised-1': 10, 'promised-2': 10, 'promised-3': 10 });
  await customer.orders.placeOrder({
    requestId: randomUUID(),
    lines: linesOf({ 'promised-1': 5, 'promised-2': 5, 'promised-3': 5 }),
  });
  const error = await rejectionOf(
    warehouse.importStock(rowsOf(randomUUID(), { 'promised-3': 0, 'promised-1': 4, 'promised-2': 20 })),
  );
  expect(error.code).toBe(Code.FAILED_PRECONDITION);
  expect(error.findDetail(ErrorInfoSchema)).toMatchObject({
    domain: 'inventory.v1',
    reason: 'ON_HAND_BELOW_RESERVED',
  });
  expect(error.findDetail(PreconditionFailureSchema)?.violations).toMatchObject([
    { subject: 'promised-3', description: '0 on hand would be less than the 5 reserved' },
    { subject: 'promised-1', description: '4 on hand would be less than the 5 reserved' },
  ]);
  const { stocks } = await warehouse.listStock({ skuPrefix: 'promised-' });
  expect(stocks.map(({ onHand }) => onHand)).toEqual([10n, 10n, 10n]);
  const justEnough = await warehouse.importStock(rowsOf(randomUUID(), { 'promised-1': 5 }));
  expect(justEnough).toMatchObject({ updated: 1n });
});
