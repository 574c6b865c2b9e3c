import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { QueueFullError } from '@acme/postgres/errors';
import { Code } from '@acme/rpc/errors';
import { rejectionOf, startTestServer } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { toStatus } from './error-map.ts';
import { createReserveHandlers } from './reserve-service.ts';

const id = (number: number) => `0198c0de-0000-7000-8000-00000000000${number}`;
const lines = [{ sku: 'A', quantity: 1 }];
const requests = [1, 2].map((number) => ({ reservationId: id(number), lines }));

/** Starts a server whose reserves succeed, except for these reservation ids. */
function startFailing(failures: Readonly<Record<string, Error>>) {
  const reservations = createReserveHandlers({
    reserve: async (command) => {
      const failure = failures[command.id];
      if (failure) throw failure;
      return { ...command, state: 'RESERVED', refusal: undefined, createTime: new Date(0) };
    },
  });
  return startTestServer(InventoryService, reservations, { errorMap: toStatus });
}

test('an unexpected error of one reservation does not affect the others, and its cause is only logged', async () => {
  await using server = await startFailing({ [id(2)]: new Error('canary') });
  const { results } = await server.client.batchReserveStock({ requests });
  expect(results.map(({ outcome }) => outcome)).toMatchObject([
    { case: 'reservation', value: { id: id(1) } },
    { case: 'error', value: { code: Code.INTERNAL, message: 'internal error', details: [] } },
  ]);
  expect(server.logLines.filter(({ level }) => level === 'error')).toMatchObject([
    { reservation_id: id(2), err: { message: 'canary' }, msg: 'one reservation of a batch failed' },
  ]);
});

test('an error of all reservations fails the call, so that the client retries', async () => {
  const full = new QueueFullError('4096 items are waiting already');
  await using server = await startFailing({ [id(1)]: full, [id(2)]: full });
  const alone = await rejectionOf(server.client.reserveStock({ reservationId: id(1), lines }));
  const together = await rejectionOf(server.client.batchReserveStock({ requests }));
  expect(together).toMatchObject({ code: alone.code, message: alone.message });
  expect(together.code).not.toBe(Code.INTERNAL);
});
