import { randomUUID } from 'node:crypto';
import { Code } from '@acme/rpc/errors';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { linesOf } from '../support/order-lines.ts';
import { test } from '../support/pair-test.ts';
import type { TestPair } from '../support/start-test-pair.ts';

const writer = ['inventory:read', 'inventory:write'];

/** Creates the rows of an import with the same on_hand for each SKU. The stream ends when `finish` is called. */
function openImport(importId: string, skus: readonly string[], onHand: bigint) {
  const finished = Promise.withResolvers<void>();
  const sent = Promise.withResolvers<void>();
  async function* rows() {
    for (const sku of skus) yield { importId, item: { sku, title: sku, onHand } };
    sent.resolve();
    await finished.promise;
  }
  return { rows: rows(), sent: sent.promise, finish: finished.resolve };
}

/** Returns the number of imports with an open transaction. */
async function openTransactions(pair: TestPair): Promise<bigint | undefined> {
  return (await transactionsOf(pair)).open;
}

/** Returns the number of imports that have inserted their id. */
async function claimedImports(pair: TestPair): Promise<bigint | undefined> {
  return (await transactionsOf(pair)).claimed;
}

async function transactionsOf(pair: TestPair): Promise<{ open?: bigint; claimed?: bigint }> {
  const { rows } = await pair.inventoryDatabase.query<{ open: bigint; claimed: bigint }>(
    `SELECT count(xact_start) AS open, count(backend_xid) AS claimed FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'inventory imports'`,
  );
  return rows[0] ?? {};
}

test('two concurrent imports of the same SKUs both succeed, and one of them wins for all SKUs', async ({
  pair,
}) => {
  const { inventory } = await pair.clientsFor('warehouse', writer);
  const skus = Array.from({ length: 200 }, (_, index) => `both-${index}`);
  await pair.setStock(Object.fromEntries(skus.slice(0, 100).map((sku) => [sku, 5])));
  // In opposite order, so that locks in the order of the rows would deadlock.
  const first = openImport(randomUUID(), skus, 1n);
  const second = openImport(randomUUID(), skus.toReversed(), 2n);
  const responses = Promise.all([inventory.importStock(first.rows), inventory.importStock(second.rows)]);
  await Promise.all([first.sent, second.sent]);
  await eventually(async () => expect(await openTransactions(pair)).toBe(2n));
  first.finish();
  second.finish();
  const created = (await responses).map((response) => response.created);
  expect(created.sort()).toEqual([0n, 100n]);
  const { stocks } = await inventory.listStock({ skuPrefix: 'both-', pageSize: 200 });
  expect(new Set(stocks.map(({ onHand }) => onHand)).size).toBe(1);
});

test('a repeated import waits for the running one and returns the same summary', async ({ pair }) => {
  const { inventory } = await pair.clientsFor('warehouse', writer);
  const importId = randomUUID();
  const first = openImport(importId, ['while-1', 'while-2'], 5n);
  const firstAnswer = inventory.importStock(first.rows);
  await eventually(async () => expect(await claimedImports(pair)).toBe(1n));
  const repeat = inventory.importStock([{ importId, item: { sku: 'while-1', title: '', onHand: 9n } }]);
  await eventually(async () => expect(await openTransactions(pair)).toBe(2n));
  first.finish();
  expect(await firstAnswer).toMatchObject({ received: 2n, created: 2n });
  expect(await repeat).toEqual(await firstAnswer);
  expect((await inventory.getStock({ sku: 'while-1' })).stock?.onHand).toBe(5n);
});

test('orders are placed while an import is in progress', async ({ pair, customer }) => {
  await pair.setStock({ busy: 10 });
  const { inventory } = await pair.clientsFor('warehouse', writer);
  const slow = openImport(randomUUID(), ['busy', 'busy-too'], 5n);
  const response = inventory.importStock(slow.rows);
  await slow.sent;
  await customer.orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ busy: 2 }) });
  slow.finish();
  expect(await response).toMatchObject({ received: 2n, created: 1n, updated: 1n });
  const { stock } = await inventory.getStock({ sku: 'busy' });
  expect(stock).toMatchObject({ onHand: 5n, reserved: 2n, available: 3n });
});

test('an import that is cancelled changes nothing and returns its connection', async ({ pair }) => {
  const { inventory } = await pair.clientsFor('warehouse', writer);
  const importId = randomUUID();
  for (let attempt = 0; attempt < 12; attempt++) {
    const leaving = new AbortController();
    const half = openImport(importId, ['gone-1', 'gone-2'], 5n);
    const response = inventory.importStock(half.rows, { signal: leaving.signal });
    await eventually(async () => expect(await openTransactions(pair)).toBe(1n));
    leaving.abort();
    expect((await rejectionOf(response)).code).toBe(Code.CANCELLED);
    half.finish();
    await eventually(async () => expect(await openTransactions(pair)).toBe(0n));
  }
  expect((await inventory.listStock({ skuPrefix: 'gone-' })).stocks).toEqual([]);
  const whole = await inventory.importStock([{ importId, item: { sku: 'gone-1', title: '', onHand: 1n } }]);
  expect(whole).toMatchObject({ received: 1n, created: 1n });
});
