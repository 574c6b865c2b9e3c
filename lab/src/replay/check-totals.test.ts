import { StockSchema } from '@acme/gen/inventory/v1/stock_pb';
import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { checkTotals } from './check-totals.ts';
import type { PlacedInvoice } from './place-all.ts';

const order = { invoice: '1', customer: 'a', lines: [{ sku: 'X', quantity: 2 }] };
const late = { invoice: '2', customer: 'b', lines: [{ sku: 'X', quantity: 3 }] };

function check(
  outcomes: readonly PlacedInvoice['outcome'][],
  counts: { onHand: bigint; reserved: bigint; available: bigint },
) {
  const orders = [order, late];
  const placed = outcomes.map((outcome, index) => ({
    order: orders[index] ?? order,
    outcome,
    durationMs: 1,
  }));
  return checkTotals(orders, placed, new Map([['X', create(StockSchema, { sku: 'X', ...counts })]]));
}

test('the check passes when exactly the confirmed units are reserved', () => {
  expect(check(['confirmed', 'rejected'], { onHand: 4n, reserved: 2n, available: 2n })).toEqual([]);
});

test('the check fails when one unit too many or too few is reserved', () => {
  expect(check(['confirmed', 'rejected'], { onHand: 4n, reserved: 3n, available: 1n })).toEqual([
    'X: 3 reserved, 2 in confirmed orders',
  ]);
  expect(check(['confirmed', 'confirmed'], { onHand: 4n, reserved: 4n, available: 0n })).toEqual([
    'X: 4 reserved, 5 in confirmed orders',
  ]);
});

test('the check fails when more units are reserved than on hand', () => {
  expect(check(['confirmed', 'confirmed'], { onHand: 4n, reserved: 5n, available: -1n })).toEqual([
    'X: 4 on hand, 5 reserved, -1 available',
  ]);
});

test('the check fails when an invoice has no outcome', () => {
  expect(check(['confirmed'], { onHand: 4n, reserved: 2n, available: 2n })).toEqual([
    'invoice 2 has no outcome',
  ]);
});

test('the check fails when inventory does not know a SKU', () => {
  expect(checkTotals([order], [{ order, outcome: 'rejected', durationMs: 1 }], new Map())).toEqual([
    'inventory does not know X',
  ]);
});
