import { BadRequestSchema } from '@acme/gen/google/rpc/error_details_pb';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const id = '0198c0de-0000-7000-8000-000000000001';

test('ensure every violation of a request is listed, and the handler is not called', async () => {
  let called = false;
  await using server = await startTestServer(InventoryService, {
    reserveStock: async () => {
      called = true;
      return {};
    },
  });
  const error = await rejectionOf(
    server.client.reserveStock({
      reservationId: 'no uuid',
      lines: [
        { sku: '', quantity: 1 },
        { sku: 'x'.repeat(65), quantity: 1_000_001 },
        { sku: 'tab\there', quantity: 0 },
      ],
    }),
  );
  expect(error.code).toBe(Code.INVALID_ARGUMENT);
  expect(error.message).toMatch(/^reservation_id: .+ \(and 5 more\)$/);
  const violations = error.detail(BadRequestSchema)?.fieldViolations;
  expect(violations?.map(({ field, reason }) => [field, reason])).toEqual([
    ['reservation_id', 'string.uuid'],
    ['lines[0].sku', 'string.min_len'],
    ['lines[1].sku', 'string.max_len'],
    ['lines[1].quantity', 'int32.gte_lte'],
    ['lines[2].sku', 'string.pattern'],
    ['lines[2].quantity', 'int32.gte_lte'],
  ]);
  expect(called).toBe(false);
});

test.each([
  ['no lines', { reservationId: id, lines: [] }, 'lines', 'repeated.min_items'],
  ['1,001 lines', { reservationId: id, lines: manyLines(1001) }, 'lines', 'repeated.max_items'],
  ['no id', { lines: manyLines(1) }, 'reservation_id', 'required'],
  [
    'a negative quantity',
    { reservationId: id, lines: [{ sku: 'A', quantity: -1 }] },
    'lines[0].quantity',
    'int32.gte_lte',
  ],
])('ensure %s is answered INVALID_ARGUMENT', async (_name, request, field, reason) => {
  await using server = await startTestServer(InventoryService, { reserveStock: async () => ({}) });
  const error = await rejectionOf(server.client.reserveStock(request));
  expect(error).toMatchObject({
    code: Code.INVALID_ARGUMENT,
    details: [{ fieldViolations: [{ field, reason }] }],
  });
});

test('ensure a request at the limits of the contract is served', async () => {
  await using server = await startTestServer(InventoryService, { reserveStock: async () => ({}) });
  const lines = manyLines(1000).map(({ sku }) => ({ sku: sku.padEnd(64, 'x'), quantity: 1_000_000 }));
  await server.client.reserveStock({ reservationId: id, lines });
});

test('ensure a violation in a stream names the position of its message, and ends the call there', async () => {
  const received: (string | undefined)[] = [];
  await using server = await startTestServer(InventoryService, {
    async importStock(requests) {
      for await (const { item } of requests) received.push(item?.sku);
      return {};
    },
  });
  const row = (sku: string, onHand: bigint) => ({ item: { sku, onHand } });
  const error = await rejectionOf(
    server.client.importStock([row('A', 1n), row('B', 1n), row('', -1n), row('D', 1n)]),
  );
  expect(error.code).toBe(Code.INVALID_ARGUMENT);
  expect(error.detail(BadRequestSchema)?.fieldViolations.map(({ field }) => field)).toEqual([
    'requests[2].item.sku',
    'requests[2].item.on_hand',
  ]);
  expect(received).toEqual(['A', 'B']);
});

function manyLines(count: number) {
  return Array.from({ length: count }, (_, index) => ({ sku: `S${index}`, quantity: 1 }));
}
