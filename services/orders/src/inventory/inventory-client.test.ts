import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import {
  boundedStatus,
  Code,
  errorInfo,
  invalidArgument,
  preconditionFailure,
  RpcError,
  resourceInfo,
} from '@acme/rpc/errors';
import { startTestServer } from '@acme/rpc/testing';
import { describe, expect, test } from 'vitest';
import { createInventoryClient } from './inventory-client.ts';

const orderId = '0198c0de-0000-7000-8000-000000000001';
const lines = [{ sku: 'A', quantity: 2 }];
const domain = 'inventory.v1';
const unguarded = { execute: <T>(call: () => Promise<T>) => call() };

/** Returns the outcome of a reserve that inventory fails with this error. */
async function outcomeOf(error: Error) {
  await using server = await startTestServer(InventoryService, {
    reserveStock: () => Promise.reject(error),
  });
  return await createInventoryClient(server.client, unguarded).reserve(orderId, lines, { deadlineMs: 1000 });
}

describe('a reserve', () => {
  test('a reserve sends the order’s lines with the order’s id and the given deadline', async () => {
    const requests: unknown[] = [];
    const deadlines: number[] = [];
    await using server = await startTestServer(InventoryService, {
      reserveStock: async (request, { deadlineAtMs }) => {
        requests.push(request);
        deadlines.push(deadlineAtMs);
        return {};
      },
    });
    const beforeMs = Date.now();
    const outcome = await createInventoryClient(server.client, unguarded).reserve(orderId, lines, {
      deadlineMs: 4000,
    });
    expect(outcome).toEqual({ kind: 'RESERVED' });
    expect(requests).toMatchObject([{ reservationId: orderId, lines }]);
    // The contract's default is one second.
    expect(deadlines[0]).toBeGreaterThan(beforeMs + 3000);
  });

  test('OUT_OF_STOCK is REFUSED with each short SKU', async () => {
    const violations = ['A', 'B'].map((subject) => ({ type: 'x', subject, description: `no ${subject}` }));
    const details = [errorInfo(domain, 'OUT_OF_STOCK'), preconditionFailure(violations)];
    expect(await outcomeOf(new RpcError(Code.FAILED_PRECONDITION, 'short', { details }))).toEqual({
      kind: 'REJECTED',
      rejection: {
        reason: 'OUT_OF_STOCK',
        items: [
          { sku: 'A', description: 'no A' },
          { sku: 'B', description: 'no B' },
        ],
      },
    });
  });

  test('SKU_NOT_FOUND is REFUSED with each unknown SKU', async () => {
    const details = [
      errorInfo(domain, 'SKU_NOT_FOUND'),
      resourceInfo('inventory.v1/Stock', 'A'),
      resourceInfo('inventory.v1/Stock', 'B'),
    ];
    expect(await outcomeOf(new RpcError(Code.NOT_FOUND, 'unknown', { details }))).toMatchObject({
      kind: 'REJECTED',
      rejection: { reason: 'SKU_NOT_FOUND', items: [{ sku: 'A' }, { sku: 'B' }] },
    });
  });

  test.each(['RESERVATION_RELEASED', 'RESERVATION_ID_REUSED'] as const)(
    '%s is final, and the order is refused with this reason',
    async (reason) => {
      const details = [errorInfo(domain, reason)];
      const outcome = await outcomeOf(new RpcError(Code.FAILED_PRECONDITION, 'no', { details }));
      expect(outcome).toEqual({ kind: 'REJECTED', rejection: { reason, items: [] } });
    },
  );

  test('INVALID_ARGUMENT with violations is final and needs a release', async () => {
    expect(await outcomeOf(invalidArgument([{ field: 'lines[0].sku', description: 'too long' }]))).toEqual({
      kind: 'REJECTED',
      rejection: { reason: 'RESERVATION_INVALID', items: [] },
      needsRelease: true,
    });
  });

  test.each([
    ['an unexpected error of inventory', new Error('null is not an object')],
    ['UNAVAILABLE', new RpcError(Code.UNAVAILABLE, 'later')],
    ['RESOURCE_EXHAUSTED', new RpcError(Code.RESOURCE_EXHAUSTED, 'busy')],
    ['NOT_FOUND without details', new RpcError(Code.NOT_FOUND, 'not found')],
    ['FAILED_PRECONDITION without details', new RpcError(Code.FAILED_PRECONDITION, 'no')],
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
  ])('%s is UNKNOWN', async (_name, error) => {
    expect(await outcomeOf(error)).toMatchObject({ kind: 'UNKNOWN', cause: { name: 'RpcError' } });
  });

  test('DEADLINE_EXCEEDED is UNKNOWN', async () => {
    await using server = await startTestServer(InventoryService, {
      reserveStock: () => new Promise(() => {}),
    });
    const outcome = await createInventoryClient(server.client, unguarded).reserve(orderId, lines, {
      deadlineMs: 20,
    });
    expect(outcome).toMatchObject({ kind: 'UNKNOWN', cause: { code: Code.DEADLINE_EXCEEDED } });
  });
});

describe('concurrent reserves', () => {
  const secondId = '0198c0de-0000-7000-8000-000000000002';

  test('concurrent reserves become one call, and each order gets its own outcome', async () => {
    const calls: unknown[] = [];
    const refusal = boundedStatus(Code.FAILED_PRECONDITION, 'short', [
      errorInfo(domain, 'OUT_OF_STOCK'),
      preconditionFailure([{ type: 'x', subject: 'A', description: 'no A' }]),
    ]);
    await using server = await startTestServer(InventoryService, {
      batchReserveStock: async ({ requests }, { deadlineAtMs }) => {
        calls.push([
          requests.map(({ reservationId }) => reservationId),
          Math.round((deadlineAtMs - Date.now()) / 1000),
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
    const outcomes = await Promise.all([
      inventory.reserve(orderId, lines, { deadlineMs: 1000 }),
      inventory.reserve(secondId, lines, { deadlineMs: 4000 }),
      inventory.reserve(secondId, lines, { deadlineMs: 500 }),
    ]);
    expect(calls).toEqual([[[orderId, secondId, secondId], 4]]);
    expect(outcomes).toMatchObject([
      { kind: 'RESERVED' },
      { kind: 'REJECTED', rejection: { reason: 'OUT_OF_STOCK', items: [{ sku: 'A', description: 'no A' }] } },
      { kind: 'UNKNOWN' },
    ]);
  });

  test('a failed call is UNKNOWN for each order, and counts once per order for the circuit breaker', async () => {
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
    const invalid = invalidArgument([{ field: 'lines[0].sku', description: 'too long' }]);
    await using server = await startTestServer(InventoryService, {
      batchReserveStock: () => Promise.reject(invalid),
      reserveStock: async ({ reservationId }) => {
        if (reservationId === secondId) throw invalid;
        return {};
      },
    });
    const inventory = createInventoryClient(server.client, unguarded);
    const ids = [orderId, secondId, orderId];
    const outcomes = ids.map((id) => inventory.reserve(id, lines, { deadlineMs: 1000 }));
    expect(await Promise.all(outcomes)).toMatchObject([
      { kind: 'RESERVED' },
      { kind: 'REJECTED', rejection: { reason: 'RESERVATION_INVALID' } },
      { kind: 'RESERVED' },
    ]);
  });

  test('a batch has at most as many lines as an order may have', async () => {
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

test('a release that inventory did not confirm throws', async () => {
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
