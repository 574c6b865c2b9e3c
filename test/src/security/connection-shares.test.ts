import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { expect } from 'vitest';
import { holdLock } from '../support/hold-lock.ts';
import { linesOf } from '../support/order-lines.ts';
import { test } from '../support/pair-test.ts';
import type { Clients, TestPair } from '../support/start-test-pair.ts';

const scopes = ['orders:read', 'orders:write', 'inventory:read', 'inventory:write'];

async function place({ orders }: Clients, sku: string) {
  const { order } = await orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ [sku]: 1 }) });
  return order ?? expect.unreachable();
}

/** Returns the number of sessions of inventory that wait for a lock. */
async function waiting(pair: TestPair): Promise<bigint | undefined> {
  const { rows } = await pair.inventoryDatabase.query<{ count: bigint }>(
    `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows[0]?.count;
}

test('30 counting sessions use two connections, and do not delay orders and reads', async ({ pair }) => {
  await pair.setStock({ counted: 5, ordered: 5 });
  const clients = await pair.clientsFor('everything', scopes);
  await using lock = await holdLock(
    pair.inventoryDatabase,
    `SELECT FROM stock WHERE sku = 'counted' FOR UPDATE`,
  );
  const sessions = Array.from({ length: 30 }, () =>
    Array.fromAsync(clients.inventory.countStock([{ sku: 'counted', counted: 7n }])),
  );
  await lock.untilBlocked(2);
  expect((await place(clients, 'ordered')).state).toBe(Order_State.CONFIRMED);
  expect((await clients.inventory.getStock({ sku: 'counted' })).stock?.onHand).toBe(5n);
  expect(await waiting(pair)).toBe(2n);
  await lock.release();
  expect((await Promise.all(sessions)).flat().map(({ errorReason }) => errorReason)).toEqual(
    Array(30).fill(''),
  );
});

test('releases that wait for a lock do not delay reserves', async ({ pair }) => {
  await pair.setStock({ released: 30, 'ordered-too': 5 });
  const { inventory } = await pair.clientsFor('orders', ['inventory:reserve']);
  const reserve = async (sku: string) => {
    const reservationId = randomUUID();
    await inventory.reserveStock({ reservationId, lines: linesOf({ [sku]: 1 }) });
    return { reservationId };
  };
  const reservations = await Promise.all(Array.from({ length: 30 }, () => reserve('released')));
  await using lock = await holdLock(
    pair.inventoryDatabase,
    `SELECT FROM stock WHERE sku = 'released' FOR UPDATE`,
  );
  const releases = reservations.map((each) => inventory.releaseStock(each, { deadlineMs: 10_000 }));
  await lock.untilBlocked(2);
  await reserve('ordered-too');
  expect(await waiting(pair)).toBe(2n);
  await lock.release();
  await Promise.allSettled(releases);
});
