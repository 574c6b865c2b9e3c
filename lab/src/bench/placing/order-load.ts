// Callers of PlaceOrder, in a process of their own: sends its parent what became of the orders of each task it is sent.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../load/offered-load.ts';
import { connectCaller } from './order-caller.ts';
import { randomRank, skuOf } from './popularity.ts';

export interface OrderTask {
  readonly target: string;
  readonly token: string;
  /** Whether all orders are of one article. */
  readonly hot: boolean;
  readonly seconds: number;
  /** So many callers, each with its next order as soon as it has the answer. */
  readonly callers?: number;
  /** Or so many orders a second, whatever becomes of those before. */
  readonly perSecond?: number;
}

export interface OrderOutcome {
  /** Orders answered CONFIRMED, a second. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answered otherwise. */
  readonly others: number;
}

async function run({ target, token, hot, seconds, callers, perSecond }: OrderTask): Promise<OrderOutcome> {
  using caller = connectCaller(target, token);
  const confirmedMs: number[] = [];
  let others = 0;
  const place = async () => {
    const startMs = performance.now();
    const { isConfirmed, pushbackMs } = await caller.place({ requestId: randomUUID(), lines: linesOf(hot) });
    if (isConfirmed) confirmedMs.push(performance.now() - startMs);
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
          // As every client does that keeps to the contract: a refused caller who asked again at once would be refused again.
          if (pushbackMs > 0) await sleep(pushbackMs);
        }
      }),
    );
  else {
    const under: Promise<unknown>[] = [];
    while (elapsed() < seconds) {
      while (under.length < elapsed() * (perSecond ?? 0)) under.push(place());
      await sleep(1);
    }
    await Promise.all(under);
  }
  return {
    perSecond: confirmedMs.length / elapsed(),
    p50Ms: quantile(confirmedMs, 0.5),
    p99Ms: quantile(confirmedMs, 0.99),
    others,
  };
}

/** Two articles by their popularity, as pgbench's transaction takes; or the one. */
function linesOf(hot: boolean) {
  const [one, other] = hot ? [1, 1] : [randomRank(Math.random()), randomRank(Math.random())];
  return [...new Set([one, other])].map((rank) => ({ sku: skuOf(rank), quantity: 1 }));
}

process.on('disconnect', () => process.exit());
process.on('message', async (task: OrderTask) => process.send?.(await run(task)));
process.send?.('ready');
