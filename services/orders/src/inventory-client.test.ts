import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { errorInfo, preconditionFailure, resourceInfo } from '@acme/rpc/error-details';
import { Code, RpcError } from '@acme/rpc/errors';
import { startTestServer } from '@acme/rpc/testing/start-test-server';
import { describe, expect, test } from 'vitest';
import { createInventory } from './inventory-client.ts';

const orderId = '0198c0de-0000-7000-8000-000000000001';
const lines = [{ sku: 'A', quantity: 2 }];
const domain = 'inventory.v1';

/** What orders makes of an inventory that fails every reserve with this. */
async function answerTo(error: Error) {
  await using server = await startTestServer(InventoryService, {
    reserveStock: () => Promise.reject(error),
  });
  return await createInventory(server.client).reserve(orderId, lines, { deadlineMs: 1000 });
}

describe('a reserve', () => {
  test('ensure it asks for the order’s lines under the order’s id, within the time it is given', async () => {
    const requests: unknown[] = [];
    const deadlines: number[] = [];
    await using server = await startTestServer(InventoryService, {
      reserveStock: async (request, { deadline }) => {
        requests.push(request);
        deadlines.push(deadline);
        return {};
      },
    });
    const beforeMs = Date.now();
    const answer = await createInventory(server.client).reserve(orderId, lines, { deadlineMs: 4000 });
    expect(answer).toEqual({ kind: 'RESERVED' });
    expect(requests).toMatchObject([{ reservationId: orderId, lines }]);
    // The contract's own would be one second.
    expect(deadlines[0]).toBeGreaterThan(beforeMs + 3000);
  });

  test('ensure OUT_OF_STOCK is a refusal that names each short SKU', async () => {
    const violations = ['A', 'B'].map((subject) => ({ type: 'x', subject, description: `no ${subject}` }));
    const details = [errorInfo(domain, 'OUT_OF_STOCK'), preconditionFailure(violations)];
    expect(await answerTo(new RpcError(Code.FAILED_PRECONDITION, 'short', { details }))).toEqual({
      kind: 'REFUSED',
      rejection: {
        reason: 'OUT_OF_STOCK',
        items: [
          { sku: 'A', description: 'no A' },
          { sku: 'B', description: 'no B' },
        ],
      },
    });
  });

  test('ensure SKU_NOT_FOUND is a refusal that names each unknown SKU', async () => {
    const details = [
      errorInfo(domain, 'SKU_NOT_FOUND'),
      resourceInfo('inventory.v1/Stock', 'A'),
      resourceInfo('inventory.v1/Stock', 'B'),
    ];
    expect(await answerTo(new RpcError(Code.NOT_FOUND, 'unknown', { details }))).toMatchObject({
      kind: 'REFUSED',
      rejection: { reason: 'SKU_NOT_FOUND', items: [{ sku: 'A' }, { sku: 'B' }] },
    });
  });

  test('ensure RESERVATION_RELEASED says that the order was cancelled', async () => {
    const details = [errorInfo(domain, 'RESERVATION_RELEASED')];
    const answer = await answerTo(new RpcError(Code.FAILED_PRECONDITION, 'released', { details }));
    expect(answer).toEqual({ kind: 'RELEASED' });
  });

  test.each([
    ['a defect of inventory’s', new Error('null is not an object')],
    ['UNAVAILABLE', new RpcError(Code.UNAVAILABLE, 'later')],
    ['RESOURCE_EXHAUSTED', new RpcError(Code.RESOURCE_EXHAUSTED, 'busy')],
    ['PERMISSION_DENIED', new RpcError(Code.PERMISSION_DENIED, 'the token lacks a scope')],
    ['NOT_FOUND that does not say of what', new RpcError(Code.NOT_FOUND, 'not found')],
    ['FAILED_PRECONDITION that does not say why', new RpcError(Code.FAILED_PRECONDITION, 'no')],
    [
      'other lines under the id',
      new RpcError(Code.FAILED_PRECONDITION, 'no', { details: [errorInfo(domain, 'RESERVATION_ID_REUSED')] }),
    ],
  ])('ensure %s tells nothing of the stock', async (_name, error) => {
    expect(await answerTo(error)).toMatchObject({ kind: 'UNKNOWN', cause: { name: 'RpcError' } });
  });

  test('ensure a deadline that has passed tells nothing of the stock', async () => {
    await using server = await startTestServer(InventoryService, {
      reserveStock: () => new Promise(() => {}),
    });
    const answer = await createInventory(server.client).reserve(orderId, lines, { deadlineMs: 20 });
    expect(answer).toMatchObject({ kind: 'UNKNOWN', cause: { code: Code.DEADLINE_EXCEEDED } });
  });
});

test('ensure a release that inventory did not confirm is an error', async () => {
  const released: string[] = [];
  await using server = await startTestServer(InventoryService, {
    releaseStock: async ({ reservationId }) => {
      if (released.push(reservationId) > 1) throw new RpcError(Code.INTERNAL, 'no');
      return {};
    },
  });
  const inventory = createInventory(server.client);
  await inventory.release(orderId);
  expect(released).toEqual([orderId]);
  await expect(inventory.release(orderId)).rejects.toThrow('no');
});
