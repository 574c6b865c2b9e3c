import { randomUUID } from 'node:crypto';
import { Code, RpcError } from '@acme/rpc/errors';
import { linesOf } from '@acme/test/support/order-lines';
import { test as pairTest } from '@acme/test/support/pair-test';
import { expect } from 'vitest';
import { stockErrors } from './invariants.ts';

const test = pairTest.extend('warehouse', async ({ pair }) => {
  const scopes = ['inventory:read', 'inventory:write', 'inventory:reserve'];
  const { inventory } = await pair.clientsFor('warehouse', scopes);
  return inventory;
});

test('two concurrent counts of one SKU each see the quantity that the other one left', async ({
  pair,
  warehouse,
}) => {
  await pair.setStock({ shared: 0 });
  const count = (offset: number) =>
    Array.fromAsync(
      warehouse.countStock(
        Array.from({ length: 100 }, (_, index) => ({ sku: 'shared', counted: BigInt(2 * index + offset) })),
      ),
    );
  const answers = (await Promise.all([count(1), count(2)])).flat();
  const { stock } = await warehouse.getStock({ sku: 'shared' });
  // Each counted value is unique, so that every quantity except the last must be the expected one of exactly one count.
  const leftBehind = new Set([0n, ...answers.map(({ counted }) => counted)]);
  leftBehind.delete(stock?.onHand ?? -1n);
  expect(answers).toHaveLength(200);
  expect(new Set(answers.map(({ expected }) => expected))).toEqual(leftBehind);
});

test('a count never lowers the stock below the reserved units, with concurrent counts and orders', async ({
  pair,
  warehouse,
}) => {
  const skus = ['contested-0', 'contested-1'] as const;
  await pair.setStock({ 'contested-0': 20, 'contested-1': 20 });
  let counting = true;
  let reserved = 0;
  const order = async () => {
    for (let round = 0; counting; round++) {
      const reservationId = randomUUID();
      const lines = linesOf({ 'contested-0': 1 + (round % 3), 'contested-1': 1 + (round % 5) });
      try {
        await warehouse.reserveStock({ reservationId, lines });
        reserved++;
      } catch (error) {
        if (!(error instanceof RpcError && error.code === Code.FAILED_PRECONDITION)) throw error;
      }
      await warehouse.releaseStock({ reservationId });
    }
  };
  const watch = async () => {
    while (counting) expect(await stockErrors(pair)).toEqual([]);
  };
  const reasons = new Map<string, number>();
  const scan = async () => {
    const counts = Array.from({ length: 150 }, (_, index) => ({
      sku: skus[index % 2] ?? '',
      counted: BigInt((index * 7) % 12),
    }));
    for await (const { errorReason } of warehouse.countStock(counts))
      reasons.set(errorReason, (reasons.get(errorReason) ?? 0) + 1);
    counting = false;
  };
  await Promise.all([scan(), watch(), order(), order(), order(), order()]);
  expect(await stockErrors(pair)).toEqual([]);
  // Without a rejected count there was no contention.
  expect([...reasons.keys()].sort()).toEqual(['', 'COUNT_BELOW_RESERVED']);
  expect(reserved).toBeGreaterThan(0);
});
