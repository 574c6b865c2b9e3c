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
import { type OrderLine, pendingOrder } from '../order/order.ts';
import { createStockStep, type StockStepDependencies } from './stock-step.ts';

const orderId = '0198c0de-0000-7000-8000-000000000001';
const lines = [{ sku: 'A', quantity: 2 }];
const domain = 'inventory.v1';
const circuitBreaker: StockStepDependencies['circuitBreaker'] = {
  state: () => 'closed',
  execute: (call) => call(),
};

function orderOf(id: string, itsLines: readonly OrderLine[] = lines) {
  return pendingOrder({ id, customerId: 'alice', lines: itsLines }, new Date(0));
}

const order = orderOf(orderId);

/** Returns the outcome of a reserve that inventory fails with this error. */
async function outcomeOf(error: Error) {
  await using server = await startTestServer(InventoryService, {
    reserveStock: () => Promise.reject(error),
  });
  return await createStockStep({ client: server.client, circuitBreaker }).do(order, { deadlineMs: 1000 });
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
    const outcome = await createStockStep({ client: server.client, circuitBreaker }).do(order, {
      deadlineMs: 4000,
    });
    expect(outcome).toEqual({ kind: 'DONE' });
    expect(requests).toMatchObject([{ reservationId: orderId, lines }]);
    // The contract's default is one second.
    expect(deadlines[0]).toBeGreaterThan(beforeMs + 3000);
  });

  test('OUT_OF_STOCK is REFUSED with each short SKU', async () => {
    const violations = ['A', 'B'].map((subject) => ({ type: 'x', subject, description: `no ${subject}` }));
    const details = [errorInfo(domain, 'OUT_OF_STOCK'), preconditionFailure(violations)];
    expect(await outcomeOf(new RpcError(Code.FAILED_PRECONDITION, 'short', { details }))).toEqual({
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

  test('SKU_NOT_FOUND is REFUSED with each unknown SKU', async () => {
    const details = [
      errorInfo(domain, 'SKU_NOT_FOUND'),
      resourceInfo('inventory.v1/Stock', 'A'),
      resourceInfo('inventory.v1/Stock', 'B'),
    ];
    expect(await outcomeOf(new RpcError(Code.NOT_FOUND, 'unknown', { details }))).toMatchObject({
      kind: 'REFUSED',
      rejection: { reason: 'SKU_NOT_FOUND', items: [{ sku: 'A' }, { sku: 'B' }] },
    });
  });

  test('RESERVATION_RELEASED is REFUSED, and an earlier attempt may have reserved', async () => {
    const reason = 'RESERVATION_RELEASED';
    const details = [errorInfo(domain, reason)];
    const outcome = await outcomeOf(new RpcError(Code.FAILED_PRECONDITION, 'no', { details }));
    expect(outcome).toEqual({ kind: 'REFUSED', rejection: { reason, items: [] }, mayBeDone: true });
  });

  test('RESERVATION_ID_REUSED is REFUSED, and no attempt has reserved', async () => {
    const reason = 'RESERVATION_ID_REUSED';
    const details = [errorInfo(domain, reason)];
    const outcome = await outcomeOf(new RpcError(Code.FAILED_PRECONDITION, 'no', { details }));
    expect(outcome).toEqual({ kind: 'REFUSED', rejection: { reason, items: [] } });
  });

  test('INVALID_ARGUMENT with violations is REFUSED, and an earlier attempt may have reserved', async () => {
    expect(await outcomeOf(invalidArgument([{ field: 'lines[0].sku', description: 'too long' }]))).toEqual({
      kind: 'REFUSED',
      rejection: { reason: 'RESERVATION_INVALID', items: [] },
      mayBeDone: true,
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
    const outcome = await createStockStep({ client: server.client, circuitBreaker }).do(order, {
      deadlineMs: 20,
    });
    expect(outcome).toMatchObject({ kind: 'UNKNOWN', cause: { code: Code.DEADLINE_EXCEEDED } });
  });
});

describe('concurrent reserves', () => {
  const secondId = '0198c0de-0000-7000-8000-000000000002';

  test('concurrent reserves become one call, and each order gets its own outcome', async () => {
    const calls: unknown[] = [];
    const deadline = { atMs: 0, leftMs: 0 };
    const refusal = boundedStatus(Code.FAILED_PRECONDITION, 'short', [
      errorInfo(domain, 'OUT_OF_STOCK'),
      preconditionFailure([{ type: 'x', subject: 'A', description: 'no A' }]),
    ]);
    await using server = await startTestServer(InventoryService, {
      batchReserveStock: async ({ requests }, { deadlineAtMs }) => {
        calls.push(requests.map(({ reservationId }) => reservationId));
        Object.assign(deadline, { atMs: deadlineAtMs, leftMs: deadlineAtMs - Date.now() });
        return {
          results: [
            { outcome: { case: 'reservation', value: { id: orderId } } },
            { outcome: { case: 'error', value: refusal } },
            {},
          ],
        };
      },
    });
    const step = createStockStep({ client: server.client, circuitBreaker });
    const beforeMs = Date.now();
    const outcomes = await Promise.all([
      step.do(order, { deadlineMs: 3000 }),
      step.do(orderOf(secondId), { deadlineMs: 4000 }),
      step.do(orderOf(secondId), { deadlineMs: 500 }),
    ]);
    expect(calls).toEqual([[orderId, secondId, secondId]]);
    // The longest of the three. grpc-timeout is in whole milliseconds, rounded up.
    expect(deadline.atMs).toBeGreaterThanOrEqual(beforeMs + 4000);
    expect(deadline.leftMs).toBeLessThanOrEqual(4001);
    expect(outcomes).toMatchObject([
      { kind: 'DONE' },
      { kind: 'REFUSED', rejection: { reason: 'OUT_OF_STOCK', items: [{ sku: 'A', description: 'no A' }] } },
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
    const step = createStockStep({ client: server.client, circuitBreaker: { ...circuitBreaker, execute } });
    const reserve = () => step.do(order, { deadlineMs: 1000 });
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
    const step = createStockStep({ client: server.client, circuitBreaker });
    const ids = [orderId, secondId, orderId];
    const outcomes = ids.map((id) => step.do(orderOf(id), { deadlineMs: 1000 }));
    expect(await Promise.all(outcomes)).toMatchObject([
      { kind: 'DONE' },
      { kind: 'REFUSED', rejection: { reason: 'RESERVATION_INVALID' } },
      { kind: 'DONE' },
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
    const step = createStockStep({ client: server.client, circuitBreaker });
    const many = Array.from({ length: 400 }, (_, index) => ({ sku: String(index), quantity: 1 }));
    const reserve = () => step.do(orderOf(orderId, many), { deadlineMs: 4000 });
    expect(await Promise.all(Array.from({ length: 4 }, reserve))).toEqual(Array(4).fill({ kind: 'DONE' }));
    expect(sizes).toEqual([2, 2]);
  });
});

describe('an undo', () => {
  test('an undo releases the stock, and throws if inventory did not confirm it', async () => {
    const released: string[] = [];
    await using server = await startTestServer(InventoryService, {
      releaseStock: async ({ reservationId }) => {
        if (released.push(reservationId) > 1) throw new RpcError(Code.INTERNAL, 'no');
        return {};
      },
    });
    const step = createStockStep({ client: server.client, circuitBreaker });
    await step.undo(order);
    expect(released).toEqual([orderId]);
    await expect(step.undo(order)).rejects.toThrow('no');
  });

  test.each([
    ['OUT_OF_STOCK', 0],
    ['SKU_NOT_FOUND', 0],
    ['RESERVATION_ID_REUSED', 0],
    ['RESERVATION_RELEASED', 1],
    ['RESERVATION_INVALID', 1],
  ] as const)('an order that is rejected as %s is released %i times', async (reason, times) => {
    let releases = 0;
    await using server = await startTestServer(InventoryService, {
      releaseStock: async () => {
        releases++;
        return {};
      },
    });
    const rejected = { ...order, state: 'REJECTED', rejection: { reason, items: [] } } as const;
    await createStockStep({ client: server.client, circuitBreaker }).undo(rejected);
    expect(releases).toBe(times);
  });
});
