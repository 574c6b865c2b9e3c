import { StockSchema } from '@acme/gen/inventory/v1/stock_pb';
import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import type { PlacedInvoice } from './place-all.ts';
import { checkBooks } from './totals.ts';

const order = { invoice: '1', customer: 'a', lines: [{ sku: 'X', quantity: 2 }] };
const late = { invoice: '2', customer: 'b', lines: [{ sku: 'X', quantity: 3 }] };

function books(
  outcomes: readonly PlacedInvoice['outcome'][],
  counts: { onHand: bigint; reserved: bigint; available: bigint },
) {
  const orders = [order, late];
  const placed = outcomes.map((outcome, index) => ({
    order: orders[index] ?? order,
    outcome,
    durationMs: 1,
  }));
  return checkBooks(orders, placed, new Map([['X', create(StockSchema, { sku: 'X', ...counts })]]));
}

test('books are right when just the confirmed units are reserved', () => {
  expect(books(['confirmed', 'rejected'], { onHand: 4n, reserved: 2n, available: 2n })).toEqual([]);
});

test('books are wrong when a unit too many or too few is reserved', () => {
  expect(books(['confirmed', 'rejected'], { onHand: 4n, reserved: 3n, available: 1n })).toEqual([
    'X: 3 reserved, 2 in confirmed orders',
  ]);
  expect(books(['confirmed', 'confirmed'], { onHand: 4n, reserved: 4n, available: 0n })).toEqual([
    'X: 4 reserved, 5 in confirmed orders',
  ]);
});

test('books are wrong when more is reserved than is there', () => {
  expect(books(['confirmed', 'confirmed'], { onHand: 4n, reserved: 5n, available: -1n })).toEqual([
    'X: 4 on hand, 5 reserved, -1 available',
  ]);
});

test('books are wrong when an invoice has no outcome', () => {
  expect(books(['confirmed'], { onHand: 4n, reserved: 2n, available: 2n })).toEqual([
    'invoice 2 has no outcome',
  ]);
});

test('books are wrong when inventory does not know a SKU', () => {
  expect(checkBooks([order], [{ order, outcome: 'rejected', durationMs: 1 }], new Map())).toEqual([
    'inventory does not know X',
  ]);
});
