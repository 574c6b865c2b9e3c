import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { startApp } from '@acme/inventory/app';
import { createTestDatabase } from '@acme/postgres/testing';
import { Code } from '@acme/rpc/errors';
import { testServerConfig } from '@acme/rpc/testing';
import { callEveryMethod } from '@acme/test/operation/call-every-method';
import { holdLock } from '@acme/test/support/hold-lock';
import { linesOf } from '@acme/test/support/order-lines';
import { retentions } from '@acme/test/support/retention';
import { startTestPair, type TestPair } from '@acme/test/support/start-test-pair';
import { describe, expect, inject, test } from 'vitest';
import { type Pgbouncer, type PoolerKind, poolerKinds, startPgbouncer } from './pgbouncer.ts';

/** Server connections of each database: fewer than a replica has, so that its connections take turns. */
const poolSize = 4;

/** Starts inventory and two replicas of orders behind a pooler. */
async function startPooledPair(kind: PoolerKind): Promise<TestPair & { readonly pooler: Pgbouncer }> {
  await using starting = new AsyncDisposableStack();
  const pooler = starting.use(await startPgbouncer(kind, inject('postgresUrl'), poolSize));
  const pair = starting.use(await startTestPair({ ordersReplicas: 2, poolDatabase: pooler.urlOf }));
  const running = starting.move();
  return { ...pair, pooler, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Returns the states of the connections to the database that listen. */
async function listeners(pair: TestPair): Promise<number> {
  const text = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '% listening'`;
  return (await pair.ordersDatabase.query(text)).rowCount ?? 0;
}

describe.for(poolerKinds)('behind PgBouncer $name', (kind) => {
  test('every method of both services works while columns change their types', async () => {
    await using pair = await startPooledPair(kind);
    const callConcurrently = () => Promise.all(Array.from({ length: 6 }, () => callEveryMethod(pair)));
    await callConcurrently();
    await pair.inventoryDatabase.query('ALTER TABLE stock ALTER COLUMN title TYPE varchar(300)');
    await pair.inventoryDatabase.query('ALTER TABLE reservations ALTER COLUMN state TYPE varchar(20)');
    await pair.ordersDatabase.query('ALTER TABLE orders ALTER COLUMN customer_id TYPE varchar(300)');
    await pair.ordersDatabase.query('ALTER TABLE order_events ALTER COLUMN state TYPE varchar(20)');
    await callConcurrently();
  });

  test('watchers of both replicas receive every change once and in order', async () => {
    await using pair = await startPooledPair(kind);
    await expect.poll(() => listeners(pair)).toBe(2);
    const sku = randomUUID();
    await pair.setStock({ [sku]: 1_000 });
    const replicas = await Promise.all([0, 1].map((replica) => pair.clientsFor('alice', undefined, replica)));
    const watches = replicas.map(({ orders }) => orders.watchOrders({}));
    for (const watch of watches) await watch.next();
    const placed = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const { orders } = replicas[index % 2] ?? expect.unreachable();
        const { order } = await orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ [sku]: 1 }) });
        return order?.id;
      }),
    );
    const seen = await Promise.all(
      watches.map(async (watch) => {
        const confirmed: (string | undefined)[] = [];
        for await (const { order } of watch) {
          if (order?.state === Order_State.CONFIRMED) confirmed.push(order.id);
          if (confirmed.length === placed.length) break;
        }
        return confirmed;
      }),
    );
    expect(seen[0]?.toSorted()).toEqual(placed.toSorted());
    expect(seen[1]).toEqual(seen[0]);
  });

  test('orders are placed again after a restart of the pooler', async () => {
    await using pair = await startPooledPair(kind);
    const sku = randomUUID();
    await pair.setStock({ [sku]: 2 });
    const { orders } = await pair.clientsFor('alice');
    const place = async (requestId: string) =>
      (await orders.placeOrder({ requestId, lines: linesOf({ [sku]: 1 }) })).order?.state;
    expect(await place(randomUUID())).toBe(Order_State.CONFIRMED);
    await pair.pooler.restart();
    const requestId = randomUUID();
    await expect.poll(() => place(requestId)).toBe(Order_State.CONFIRMED);
  });

  test('a call whose deadline is over leaves no statement behind', async () => {
    await using pair = await startPooledPair(kind);
    const sku = randomUUID();
    await pair.setStock({ [sku]: 1 });
    const { inventory } = await pair.clientsFor('alice');
    await using lock = await holdLock(pair.inventoryDatabase, 'LOCK TABLE stock');
    const read = inventory.getStock({ sku }, { deadlineMs: 1_500 });
    const ended = expect(read).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    await lock.untilBlocked(1);
    await ended;
    const blocked = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await expect.poll(async () => (await pair.inventoryDatabase.query(blocked)).rowCount).toBe(0);
    await lock.release();
    expect((await inventory.getStock({ sku })).stock).toMatchObject({ sku, onHand: 1n });
  });

  test('a service without DATABASE_DIRECT_URL does not start, and its error names the variable', async () => {
    await using database = await createTestDatabase();
    await using pooler = await startPgbouncer(kind, database.url, poolSize);
    const url = pooler.urlOf(database.url);
    const starting = startApp({
      server: testServerConfig({}),
      databaseUrl: url,
      databaseDirectUrl: url,
      ...retentions,
    });
    await expect(starting).rejects.toThrow('set DATABASE_DIRECT_URL');
  });
});
