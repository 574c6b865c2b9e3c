import { randomUUID } from 'node:crypto';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { createClient } from '@acme/rpc/client';
import { Code } from '@acme/rpc/errors';
import { startFaultProxy } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { holdLock } from '../support/hold-lock.ts';
import { linesOf } from '../support/order-lines.ts';
import { test } from '../support/pair-test.ts';
import { untilStable } from '../support/until-stable.ts';

const writer = ['inventory:read', 'inventory:write'];

test('a blocked server reads only a small part of an import, and the rest afterwards', async ({ pair }) => {
  await using proxy = await startFaultProxy({ target: pair.inventoryTarget });
  const token = await pair.token('warehouse', writer);
  using inventory = createClient(InventoryService, { target: proxy.target, token: () => token });
  const importId = randomUUID();
  await using lock = await holdLock(
    pair.inventoryDatabase,
    `INSERT INTO imports (id, received, created, updated, create_time) VALUES ('${importId}', 0, 0, 0, now())`,
  );
  const itemCount = 8_000n;
  const title = 'x'.repeat(256);
  let made = 0n;
  function* rows() {
    for (; made < itemCount; made++)
      yield { importId, itemCount, item: { sku: `held-up-${made}`, title, onHand: 1n } };
  }
  const summary = inventory.importStock(rows());
  await lock.untilBlocked(1);
  const wireBytes = await untilStable(() => proxy.counters.passed.upstream);
  const madeBytes = Number(made) * title.length;
  await lock.release();
  expect(await summary).toMatchObject({ received: itemCount, created: itemCount });
  // The import has more than 2 MiB. The limit is one HTTP/2 window and the buffers of both sides.
  expect(wireBytes).toBeLessThan(512 * 1024);
  // grpc-js buffers up to 1 MiB of a call for retries.
  expect(madeBytes).toBeLessThan(1.5 * 1024 * 1024);
});

test('orders are placed while more imports are open than the server accepts', async ({ pair, customer }) => {
  await pair.setStock({ 'beside-imports': 10 });
  const { inventory } = await pair.clientsFor('warehouse', writer);
  const finished = Promise.withResolvers<void>();
  async function* hangingRows() {
    yield { importId: randomUUID(), item: { sku: `hanging-${randomUUID()}`, title: '', onHand: 1n } };
    await finished.promise;
  }
  const imports = Array.from({ length: 12 }, () => inventory.importStock(hangingRows()));
  const outcomes: Promise<Code>[] = imports.map((each) =>
    each.then(
      () => Code.OK,
      ({ code }) => code,
    ),
  );
  let codes = 0;
  for (const code of outcomes) void code.then(() => codes++);
  // Four imports have a connection. The others are rejected with UNAVAILABLE.
  await eventually(async () => expect(codes).toBe(8));
  const { order } = await customer.orders.placeOrder({
    requestId: randomUUID(),
    lines: linesOf({ 'beside-imports': 1 }),
  });
  expect(order?.state).toBe(Order_State.CONFIRMED);
  finished.resolve();
  const ends = await Promise.all(outcomes);
  expect(ends.filter((code) => code === Code.OK)).toHaveLength(4);
  expect(ends.filter((code) => code === Code.UNAVAILABLE)).toHaveLength(8);
});
