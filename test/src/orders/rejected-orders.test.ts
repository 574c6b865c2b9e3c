import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { Code } from '@acme/rpc/errors';
import {
  ErrorInfoSchema,
  PreconditionFailureSchema,
  ResourceInfoSchema,
} from '@acme/rpc/gen/google/rpc/error_details_pb';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { linesOf } from '../support/order-lines.ts';
import { test } from '../support/pair-test.ts';
import { reservedUnits } from '../support/reserved-units.ts';

test('OUT_OF_STOCK names every short SKU, and the order is stored as REJECTED', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ 'short-1': 1, ample: 100, 'short-2': 0 });
  const lines = linesOf({ 'short-2': 1, ample: 1, 'short-1': 2 });
  const error = await rejectionOf(orders.placeOrder({ requestId: randomUUID(), lines }));
  expect(error.code).toBe(Code.FAILED_PRECONDITION);
  const info = error.findDetail(ErrorInfoSchema);
  expect(info).toMatchObject({ domain: 'orders.v1', reason: 'OUT_OF_STOCK' });
  expect(error.findDetail(PreconditionFailureSchema)?.violations).toMatchObject([
    { type: 'OUT_OF_STOCK', subject: 'short-1', description: '2 wanted, 1 available' },
    { type: 'OUT_OF_STOCK', subject: 'short-2', description: '1 wanted, 0 available' },
  ]);
  const { order } = await orders.getOrder({ id: info?.metadata.order_id ?? '' });
  expect(order).toMatchObject({ state: Order_State.REJECTED, rejectReason: 'OUT_OF_STOCK', lines });
  expect(await reservedUnits(pair, ['ample'])).toEqual({ ample: 0 });
});

test('SKU_NOT_FOUND names every unknown SKU, and the order is stored as REJECTED', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ known: 100, 'known-but-short': 0 });
  const lines = linesOf({ 'unknown-2': 1, known: 1, 'unknown-1': 1, 'known-but-short': 1 });
  const error = await rejectionOf(orders.placeOrder({ requestId: randomUUID(), lines }));
  expect(error.code).toBe(Code.NOT_FOUND);
  const info = error.findDetail(ErrorInfoSchema);
  expect(info).toMatchObject({ domain: 'orders.v1', reason: 'SKU_NOT_FOUND' });
  expect(error.findDetails(ResourceInfoSchema)).toMatchObject([
    { resourceType: 'inventory.v1/Stock', resourceName: 'unknown-1' },
    { resourceType: 'inventory.v1/Stock', resourceName: 'unknown-2' },
  ]);
  const { order } = await orders.getOrder({ id: info?.metadata.order_id ?? '' });
  expect(order).toMatchObject({ state: Order_State.REJECTED, rejectReason: 'SKU_NOT_FOUND', lines });
  expect(await reservedUnits(pair, ['known'])).toEqual({ known: 0 });
});

test('a rejection with too many SKUs for its details still has the reason and the order’s id', async ({
  pair,
  customer: { orders },
}) => {
  const skus = Array.from({ length: 1000 }, (_, index) => `too-many-to-name-${index}`.padEnd(64, '.'));
  await pair.setStock(Object.fromEntries(skus.map((sku) => [sku, 0])));
  const lines = skus.map((sku) => ({ sku, quantity: 1 }));
  for (const [short, code, reason] of [
    [lines, Code.FAILED_PRECONDITION, 'OUT_OF_STOCK'],
    [lines.map(({ sku }) => ({ sku: sku.toUpperCase(), quantity: 1 })), Code.NOT_FOUND, 'SKU_NOT_FOUND'],
  ] as const) {
    const error = await rejectionOf(orders.placeOrder({ requestId: randomUUID(), lines: [...short] }));
    expect(error).toMatchObject({
      code,
      message: expect.stringMatching(/too-many-to-name-\S+ and \d+ more$/i),
    });
    const info = error.findDetail(ErrorInfoSchema);
    expect(info?.reason).toBe(reason);
    const { order } = await orders.getOrder({ id: info?.metadata.order_id ?? '' });
    expect(order).toMatchObject({ state: Order_State.REJECTED, rejectReason: reason });
  }
});
