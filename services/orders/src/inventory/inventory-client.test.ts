import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { badRequest } from '@acme/rpc/errors/bad-request';
import { errorInfo, preconditionFailure, resourceInfo } from '@acme/rpc/errors/error-details';
import { Code, RpcError } from '@acme/rpc/errors/rpc-error';
import { boundedStatus } from '@acme/rpc/errors/status-details';
import { startTestServer } from '@acme/rpc/testing/start-test-server';
import { describe, expect, test } from 'vitest';
import { createInventoryClient } from './inventory-client.ts';

const orderId = '0198c0de-0000-7000-8000-000000000001';
const lines = [{ sku: 'A', quantity: 2 }];
const domain = 'inventory.v1';
const unguarded = { execute: <T>(call: () => Promise<T>) => call() };

/** What orders makes of an inventory that fails every reserve with this. */
async function answerTo(error: Error) {
  await using server = await startTestServer(InventoryService, {
    reserveStock: () => Promise.reject(error),
  });
  return await createInventoryClient(server.client, unguarded).reserve(orderId, lines, { deadlineMs: 1000 });
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
    const answer = await createInventoryClient(server.client, unguarded).reserve(orderId, lines, {
      deadlineMs: 4000,
    });
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

  test.each(['RESERVATION_RELEASED', 'RESERVATION_ID_REUSED'] as const)(
    '%s is final: the order is refused for this reason',
    async (reason) => {
      const details = [errorInfo(domain, reason)];
      const answer = await answerTo(new RpcError(Code.FAILED_PRECONDITION, 'no', { details }));
      expect(answer).toEqual({ kind: 'REFUSED', rejection: { reason, items: [] } });
    },
  );

  test('INVALID_ARGUMENT with its violations is final, and owes a release', async () => {
    expect(await answerTo(badRequest([{ field: 'lines[0].sku', description: 'too long' }]))).toEqual({
      kind: 'REFUSED',
      rejection: { reason: 'RESERVATION_INVALID', items: [] },
      needsRelease: true,
    });
  });

  test.each([
    ['a defect of inventory’s', new Error('null is not an object')],
    ['UNAVAILABLE', new RpcError(Code.UNAVAILABLE, 'later')],
    ['RESOURCE_EXHAUSTED', new RpcError(Code.RESOURCE_EXHAUSTED, 'busy')],
    ['NOT_FOUND that does not say of what', new RpcError(Code.NOT_FOUND, 'not found')],
    ['FAILED_PRECONDITION that does not say why', new RpcError(Code.FAILED_PRECONDITION, 'no')],
    ['PERMISSION_DENIED', new RpcError(Code.PERMISSION_DENIED, 'the token lacks a scope')],
    ['INVALID_ARGUMENT without violations', new RpcError(Code.INVALID_ARGUMENT, 'no')],
    [
      'a reason of another domain',
      new RpcError(Code.FAILED_PRECONDITION, 'no', {
        details: [errorInfo('proxy.example', 'RESERVATION_RELEASED')],
      }),
    ],
    [
      'a reason that names a property of every object',
      new RpcError(Code.INTERNAL, 'no', { details: [errorInfo(domain, 'constructor')] }),
    ],
  ])('ensure %s tells nothing of the stock', async (_name, error) => {
    expect(await answerTo(error)).toMatchObject({ kind: 'UNKNOWN', cause: { name: 'RpcError' } });
  });

  test('ensure a deadline that has passed tells nothing of the stock', async () => {
    await using server = await startTestServer(InventoryService, {
      reserveStock: () => new Promise(() => {}),
    });
    const answer = await createInventoryClient(server.client, unguarded).reserve(orderId, lines, {
      deadlineMs: 20,
    });
    expect(answer).toMatchObject({ kind: 'UNKNOWN', cause: { code: Code.DEADLINE_EXCEEDED } });
  });
});

describe('reserves that are made together', () => {
  const secondId = '0198c0de-0000-7000-8000-000000000002';

  test('ensure they are one call, and each order has its own answer', async () => {
    const asked: unknown[] = [];
    const refusal = boundedStatus(Code.FAILED_PRECONDITION, 'short', [
      errorInfo(domain, 'OUT_OF_STOCK'),
      preconditionFailure([{ type: 'x', subject: 'A', description: 'no A' }]),
    ]);
    await using server = await startTestServer(InventoryService, {
      batchReserveStock: async ({ requests }, { deadline }) => {
        asked.push([
          requests.map(({ reservationId }) => reservationId),
          Math.round((deadline - Date.now()) / 1000),
        ]);
        return {
          results: [
            { outcome: { case: 'reservation', value: { id: orderId } } },
            { outcome: { case: 'error', value: refusal } },
            {},
          ],
        };
      },
    });
    const inventory = createInventoryClient(server.client, unguarded);
    const answers = await Promise.all([
      inventory.reserve(orderId, lines, { deadlineMs: 1000 }),
      inventory.reserve(secondId, lines, { deadlineMs: 4000 }),
      inventory.reserve(secondId, lines, { deadlineMs: 500 }),
    ]);
    expect(asked).toEqual([[[orderId, secondId, secondId], 4]]);
    expect(answers).toMatchObject([
      { kind: 'RESERVED' },
      { kind: 'REFUSED', rejection: { reason: 'OUT_OF_STOCK', items: [{ sku: 'A', description: 'no A' }] } },
      { kind: 'UNKNOWN' },
    ]);
  });

  test('ensure a call that fails tells none of them anything, and the circuit as often as there are orders', async () => {
    await using server = await startTestServer(InventoryService, {
      batchReserveStock: () => Promise.reject(new RpcError(Code.INTERNAL, 'no')),
    });
    const judged: unknown[] = [];
    const execute = async <T>(call: () => Promise<T>) => {
      try {
        return await call();
      } catch (error) {
        judged.push((error as RpcError).code);
        throw error;
      }
    };
    const inventory = createInventoryClient(server.client, { execute });
    const reserve = () => inventory.reserve(orderId, lines, { deadlineMs: 1000 });
    expect(await Promise.all([reserve(), reserve()])).toMatchObject(Array(2).fill({ kind: 'UNKNOWN' }));
    expect(judged).toEqual([Code.INTERNAL, Code.INTERNAL]);
  });

  test('a batch with one invalid order rejects that order alone', async () => {
    const invalid = badRequest([{ field: 'lines[0].sku', description: 'too long' }]);
    await using server = await startTestServer(InventoryService, {
      batchReserveStock: () => Promise.reject(invalid),
      reserveStock: async ({ reservationId }) => {
        if (reservationId === secondId) throw invalid;
        return {};
      },
    });
    const inventory = createInventoryClient(server.client, unguarded);
    const ids = [orderId, secondId, orderId];
    const answers = ids.map((id) => inventory.reserve(id, lines, { deadlineMs: 1000 }));
    expect(await Promise.all(answers)).toMatchObject([
      { kind: 'RESERVED' },
      { kind: 'REFUSED', rejection: { reason: 'RESERVATION_INVALID' } },
      { kind: 'RESERVED' },
    ]);
  });

  test('ensure no batch has more lines than an order may have', async () => {
    const sizes: number[] = [];
    await using server = await startTestServer(InventoryService, {
      batchReserveStock: async ({ requests }) => {
        sizes.push(requests.length);
        return { results: requests.map(() => ({ outcome: { case: 'reservation', value: {} } })) };
      },
    });
    const inventory = createInventoryClient(server.client, unguarded);
    const many = Array.from({ length: 400 }, (_, index) => ({ sku: String(index), quantity: 1 }));
    const reserve = () => inventory.reserve(orderId, many, { deadlineMs: 4000 });
    expect(await Promise.all(Array.from({ length: 4 }, reserve))).toEqual(
      Array(4).fill({ kind: 'RESERVED' }),
    );
    expect(sizes).toEqual([2, 2]);
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
  const inventory = createInventoryClient(server.client, unguarded);
  await inventory.release(orderId);
  expect(released).toEqual([orderId]);
  await expect(inventory.release(orderId)).rejects.toThrow('no');
});
