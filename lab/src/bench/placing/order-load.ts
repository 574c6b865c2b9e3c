// A process of PlaceOrder callers. It receives tasks from its parent and sends the outcome of each.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { quantile } from '../../harness/quantile.ts';
import { connectHttp2Caller } from '../load/http2-caller.ts';
import { randomRank, skuOf } from './popularity.ts';

export interface OrderTask {
  readonly target: string;
  readonly token: string;
  /** Whether all orders are for one SKU. */
  readonly hot: boolean;
  /** Number of customers, each order of a random one. Default: all orders are the caller's. */
  readonly customers?: number | undefined;
  readonly seconds: number;
  /** Number of callers in a closed loop. */
  readonly callers?: number;
  /** Or the rate of an open loop. */
  readonly perSecond?: number;
}

export interface OrderOutcome {
  /** Number of CONFIRMED orders. */
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Number of other outcomes. */
  readonly others: number;
}

async function run({
  target,
  token,
  hot,
  customers,
  seconds,
  callers,
  perSecond,
}: OrderTask): Promise<OrderOutcome> {
  using caller = connectHttp2Caller(target, token);
  const confirmedMs: number[] = [];
  let others = 0;
  const place = async () => {
    const startMs = performance.now();
    const customerId = customers ? `customer-${Math.floor(Math.random() * customers)}` : '';
    const request = { customerId, requestId: randomUUID(), lines: linesOf(hot) };
    const { response, pushbackMs } = await caller.call(OrderService.method.placeOrder, request);
    if (response?.order?.state === Order_State.CONFIRMED) confirmedMs.push(performance.now() - startMs);
    else others += 1;
    return pushbackMs;
  };
  const startMs = performance.now();
  const elapsed = () => (performance.now() - startMs) / 1000;
  if (callers)
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (elapsed() < seconds) {
          const pushbackMs = await place();
          // A client honours the pushback: an immediate retry would be rejected again.
          if (pushbackMs > 0) await sleep(pushbackMs);
        }
      }),
    );
  else {
    const calls: Promise<unknown>[] = [];
    while (elapsed() < seconds) {
      while (calls.length < elapsed() * (perSecond ?? 0)) calls.push(place());
      await sleep(1);
    }
    await Promise.all(calls);
  }
  return {
    count: confirmedMs.length,
    perSecond: confirmedMs.length / elapsed(),
    p50Ms: quantile(confirmedMs, 0.5) ?? Number.NaN,
    p99Ms: quantile(confirmedMs, 0.99) ?? Number.NaN,
    others,
  };
}

/** Returns lines for two SKUs by popularity, as in the transaction of pgbench, or for the one hot SKU. */
function linesOf(hot: boolean) {
  const [one, other] = hot ? [1, 1] : [randomRank(Math.random()), randomRank(Math.random())];
  return [...new Set([one, other])].map((rank) => ({ sku: skuOf(rank), quantity: 1 }));
}

process.on('disconnect', () => process.exit());
process.on('message', async (task: OrderTask) => process.send?.(await run(task)));
process.send?.('ready');
