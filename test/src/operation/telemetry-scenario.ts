import { randomBytes, randomUUID } from 'node:crypto';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { openTestPool } from '@acme/postgres/testing';
import { createClient } from '@acme/rpc/client';
import type { ReceivedLogRecord, ReceivedSpan } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { holdLock } from '../support/hold-lock.ts';
import { linesOf } from '../support/order-lines.ts';
import { startObservedPair } from './observed-pair.ts';
import { parseSeries, type Series } from './prometheus-text.ts';

/** An order, with the trace of the call that placed it. */
interface Placed {
  readonly traceId: string;
  readonly orderId: string;
}

/** Telemetry that the pair has exported, and the orders that it is about. */
export interface ExportedTelemetry {
  readonly spans: readonly ReceivedSpan[];
  readonly series: readonly Series[];
  readonly lines: readonly Record<string, unknown>[];
  /** Names of the metrics at the collector. */
  readonly metrics: readonly string[];
  readonly logs: readonly ReceivedLogRecord[];
  readonly stderr: string;
  /** Its call to inventory was aborted and retried. */
  readonly retried: Placed;
  /** Two orders that were placed in one batch. */
  readonly together: readonly Placed[];
  /** Returned PENDING, and settled by the settler. */
  readonly settled: Placed;
}

/**
 * Starts a pair, places six orders, and stops the pair. The first order is retried, and cancelled at the end. Of the next
 * three, two are placed in one batch. One is rejected. The last is settled by the settler.
 */
export async function runTelemetryScenario(): Promise<ExportedTelemetry> {
  await using stack = new AsyncDisposableStack();
  const pair = stack.use(await startObservedPair());
  const open = (url: string) => stack.use(openTestPool({ url, max: 2 }));
  const ordersToken = await pair.keys.sign({
    sub: 'alice',
    aud: 'orders',
    scope: 'orders:read orders:write',
  });
  const orders = stack.use(
    createClient(OrderService, { target: pair.ordersTarget, token: () => ordersToken }),
  );
  const inventoryToken = await pair.keys.sign({ sub: 'alice', aud: 'inventory', scope: 'inventory:write' });
  const inventory = stack.use(
    createClient(InventoryService, { target: pair.inventoryTarget, token: () => inventoryToken }),
  );
  await inventory.importStock([{ importId: randomUUID(), item: { sku: 'A', title: 'A', onHand: 100n } }]);
  const place = async (quantity: number, state: Order_State = Order_State.CONFIRMED): Promise<Placed> => {
    const traceId = randomBytes(16).toString('hex');
    const metadata = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
    const request = { requestId: randomUUID(), lines: linesOf({ A: quantity }) };
    const { order } = await orders.placeOrder(request, { metadata, deadlineMs: 9000 });
    expect(order?.state).toBe(state);
    return { traceId, orderId: order?.id ?? '' };
  };

  const retried = await withLock(open(pair.databases.inventory), 'LOCK TABLE stock', async (lock) => {
    const placing = place(1);
    await lock.untilBlocked(1);
    pair.proxy.severAll();
    await eventually(async () => expect(await pair.scrape('inventory')).toContain('call_retries_total{'));
    return { placing };
  });
  const firstPlaced = await retried.placing;

  const { placing } = await withLock(open(pair.databases.orders), 'LOCK TABLE orders', async (lock) => {
    const alone = place(1);
    // The settler also waits for the lock.
    await lock.untilBlocked(2);
    const both = [place(1), place(2)];
    const active = async () =>
      parseSeries(await pair.scrape('orders')).find(({ name }) => name === 'rpc_server_active_calls');
    await eventually(async () => expect((await active())?.value).toBe(3));
    return { placing: [alone, ...both] };
  });
  const [, ...together] = await Promise.all(placing);

  await expect(place(1000)).rejects.toThrow('not enough stock');

  pair.proxy.refuseConnections();
  pair.proxy.severAll();
  const settled = await place(1, Order_State.PENDING);
  pair.proxy.heal();
  const state = async () => (await orders.getOrder({ id: settled.orderId })).order?.state;
  await eventually(async () => expect(await state()).toBe(Order_State.CONFIRMED));

  await orders.cancelOrder({ id: firstPlaced.orderId });
  await eventually(async () => expect(await pair.scrape('inventory')).toContain('state="RELEASED"'));

  const scrapes = [await pair.scrape('orders'), await pair.scrape('inventory')];
  await pair.stop();
  return {
    spans: pair.collector.spans,
    series: scrapes.flatMap(parseSeries),
    lines: [...pair.logs.orders(), ...pair.logs.inventory()],
    metrics: pair.collector.metrics,
    logs: pair.collector.logs,
    stderr: pair.stderr(),
    retried: firstPlaced,
    together,
    settled,
  };
}

/** Holds the lock while `body` runs. The result is an object, so that promises in it are not awaited. */
async function withLock<T extends object>(
  pool: Parameters<typeof holdLock>[0],
  statement: string,
  body: (lock: Awaited<ReturnType<typeof holdLock>>) => Promise<T>,
): Promise<T> {
  await using lock = await holdLock(pool, statement);
  return await body(lock);
}
