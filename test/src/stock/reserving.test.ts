import { randomUUID } from 'node:crypto';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { Reservation_State } from '@acme/gen/inventory/v1/stock_pb';
import { Code, fromItemStatus, type RpcError } from '@acme/rpc/errors';
import {
  ErrorInfoSchema,
  PreconditionFailureSchema,
  ResourceInfoSchema,
} from '@acme/rpc/gen/google/rpc/error_details_pb';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { errorFieldsOf } from '../support/error-fields.ts';
import { linesOf } from '../support/order-lines.ts';
import { test as pairTest } from '../support/pair-test.ts';
import { reservedUnits } from '../support/reserved-units.ts';

const test = pairTest.extend('inventory', async ({ pair }) => {
  const { inventory } = await pair.clientsFor('orders', ['inventory:read', 'inventory:reserve']);
  return inventory;
});

test('a repeated reserve returns the same reservation and reserves nothing more', async ({
  pair,
  inventory,
}) => {
  await pair.setStock({ once: 10, 'once-more': 10 });
  const reservationId = randomUUID();
  const lines = linesOf({ 'once-more': 2, once: 1 });
  const first = await inventory.reserveStock({ reservationId, lines });
  expect(first.reservation).toMatchObject({
    id: reservationId,
    state: Reservation_State.RESERVED,
    lines: linesOf({ once: 1, 'once-more': 2 }),
  });
  const again = { reservationId: reservationId.toUpperCase(), lines: lines.toReversed() };
  expect(await inventory.reserveStock(again)).toEqual(first);
  expect(await reservedUnits(pair, ['once', 'once-more'])).toEqual({ once: 1, 'once-more': 2 });
  const { stock } = await inventory.getStock({ sku: 'once-more' });
  expect(stock).toMatchObject({ onHand: 10n, reserved: 2n, available: 8n });
});

test('a refusal names the missing SKUs, and is repeated even if there is stock now', async ({
  pair,
  inventory,
}) => {
  await pair.setStock({ little: 1 });
  const short = { reservationId: randomUUID(), lines: linesOf({ little: 2 }) };
  const unknown = { reservationId: randomUUID(), lines: linesOf({ absent: 2, little: 2 }) };
  const shortError = await rejectionOf(inventory.reserveStock(short));
  expect(shortError.code).toBe(Code.FAILED_PRECONDITION);
  expect(shortError.findDetail(ErrorInfoSchema)).toMatchObject({
    domain: 'inventory.v1',
    reason: 'OUT_OF_STOCK',
  });
  expect(shortError.findDetail(PreconditionFailureSchema)?.violations).toMatchObject([{ subject: 'little' }]);
  const unknownError = await rejectionOf(inventory.reserveStock(unknown));
  expect(unknownError.code).toBe(Code.NOT_FOUND);
  expect(unknownError.findDetail(ErrorInfoSchema)?.reason).toBe('SKU_NOT_FOUND');
  expect(unknownError.findDetails(ResourceInfoSchema)).toMatchObject([{ resourceName: 'absent' }]);

  await pair.setStock({ little: 100, absent: 100 });
  expect(await errorFieldsOf(inventory.reserveStock(short))).toMatchObject({ message: shortError.message });
  expect(await errorFieldsOf(inventory.reserveStock(unknown))).toMatchObject({
    message: unknownError.message,
  });
  expect(await reservedUnits(pair, ['little', 'absent'])).toEqual({ little: 0, absent: 0 });
});

test('each request of a batch has the result of a single reserve, also when repeated', async ({
  pair,
  inventory,
}) => {
  await pair.setStock({ many: 10, few: 1 });
  const released = randomUUID();
  await inventory.releaseStock({ reservationId: released });
  const request = (units: Record<string, number>, reservationId = randomUUID()) => ({
    reservationId,
    lines: linesOf(units),
  });
  const fits = request({ many: 2 });
  const requests = [
    fits,
    request({ few: 2 }),
    request({ nowhere: 1 }),
    request({ many: 1 }, released),
    { ...fits, lines: linesOf({ many: 3 }) },
    { reservationId: randomUUID(), lines: [...linesOf({ many: 1 }), ...linesOf({ many: 1 })] },
    request({ many: 3, few: 1 }),
  ];
  const { results } = await inventory.batchReserveStock({ requests });
  const alone = await Promise.all(
    requests.map((each) =>
      inventory.reserveStock(each).then(
        ({ reservation }) => reservation,
        ({ code, message, details }: RpcError) => ({ code, message, details }),
      ),
    ),
  );
  const together = results.map(({ outcome }) => {
    if (outcome.case !== 'error') return outcome.value;
    const { code, message, details } = fromItemStatus(
      outcome.value,
      InventoryService.method.batchReserveStock,
    );
    return { code, message, details };
  });
  expect(together).toEqual(alone);
  expect(results.map(({ outcome }) => outcome.case)).toEqual([
    'reservation',
    ...Array(5).fill('error'),
    'reservation',
  ]);
  expect((await inventory.batchReserveStock({ requests })).results).toEqual(results);
  expect(await reservedUnits(pair, ['many', 'few'])).toEqual({ many: 5, few: 1 });
});

test('a reservation_id with other lines is rejected, whether the first reserve succeeded or not', async ({
  pair,
  inventory,
}) => {
  await pair.setStock({ held: 10 });
  for (const quantity of [1, 1000]) {
    const reservationId = randomUUID();
    const reserve = (units: number) =>
      inventory.reserveStock({ reservationId, lines: linesOf({ held: units }) });
    await reserve(quantity).catch(() => {});
    const error = await rejectionOf(reserve(2));
    expect(error.code).toBe(Code.FAILED_PRECONDITION);
    expect(error.findDetail(ErrorInfoSchema)).toMatchObject({
      reason: 'RESERVATION_ID_REUSED',
      metadata: { reservation_id: reservationId },
    });
  }
  expect(await reservedUnits(pair, ['held'])).toEqual({ held: 1 });
});

test('a release returns the units once, and the reservation cannot be made again', async ({
  pair,
  inventory,
}) => {
  await pair.setStock({ given: 10 });
  const reserve = (reservationId: string, units: number) =>
    inventory.reserveStock({ reservationId, lines: linesOf({ given: units }) });
  const [kept, reservationId] = [randomUUID(), randomUUID()];
  await reserve(kept, 5);
  await reserve(reservationId, 2);
  const first = await inventory.releaseStock({ reservationId });
  expect(first.reservation).toMatchObject({
    id: reservationId,
    state: Reservation_State.RELEASED,
    lines: linesOf({ given: 2 }),
  });
  expect(await inventory.releaseStock({ reservationId: reservationId.toUpperCase() })).toEqual(first);
  expect(await reservedUnits(pair, ['given'])).toEqual({ given: 5 });
  const late = await rejectionOf(reserve(reservationId, 2));
  expect(late.code).toBe(Code.FAILED_PRECONDITION);
  expect(late.findDetail(ErrorInfoSchema)).toMatchObject({
    reason: 'RESERVATION_RELEASED',
    metadata: { reservation_id: reservationId },
  });
  expect(await reservedUnits(pair, ['given'])).toEqual({ given: 5 });
});

test('a release before the reserve causes the reserve to be rejected', async ({ pair, inventory }) => {
  await pair.setStock({ overtaken: 10 });
  const reservationId = randomUUID();
  const { reservation } = await inventory.releaseStock({ reservationId });
  expect(reservation).toMatchObject({ state: Reservation_State.RELEASED, lines: [] });
  const late = await rejectionOf(inventory.reserveStock({ reservationId, lines: linesOf({ overtaken: 1 }) }));
  expect(late.findDetail(ErrorInfoSchema)?.reason).toBe('RESERVATION_RELEASED');
  expect(await reservedUnits(pair, ['overtaken'])).toEqual({ overtaken: 0 });
});

test('the release of a refused reservation succeeds and does not change reserved', async ({
  pair,
  inventory,
}) => {
  await pair.setStock({ never: 1 });
  await inventory.reserveStock({ reservationId: randomUUID(), lines: linesOf({ never: 1 }) });
  const reservationId = randomUUID();
  await rejectionOf(inventory.reserveStock({ reservationId, lines: linesOf({ never: 1 }) }));
  const { reservation } = await inventory.releaseStock({ reservationId });
  expect(reservation?.state).toBe(Reservation_State.RELEASED);
  expect(await reservedUnits(pair, ['never'])).toEqual({ never: 1 });
});

test('an unknown SKU is NOT_FOUND', async ({ inventory }) => {
  const error = await rejectionOf(inventory.getStock({ sku: 'not sold' }));
  expect(error.code).toBe(Code.NOT_FOUND);
  expect(error.findDetail(ErrorInfoSchema)).toMatchObject({
    domain: 'inventory.v1',
    reason: 'SKU_NOT_FOUND',
  });
  expect(error.findDetail(ResourceInfoSchema)).toMatchObject({ resourceName: 'not sold' });
});
