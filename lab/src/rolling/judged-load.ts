import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { openCustomers } from '../harness/customers.ts';
import type { Call, Outcome } from '../harness/history.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { setStock } from '../harness/stock.ts';
import { customerIdsOf, startTraffic } from '../harness/traffic.ts';
import { untilSettled } from '../harness/until-settled.ts';
import { judgeHistory } from '../harness/verdict.ts';
import { startWatchers } from '../harness/watchers.ts';
import { crossingErrors, listErrors } from './crossing.ts';

/** Customers that place, cancel, read, list and watch orders. */
export interface JudgedLoad extends AsyncDisposable {
  /**
   * Runs `during` while customers place orders, for 2 s at least. Then places orders at each replica that the other one
   * cancels, lets all orders settle, and checks every call, list, watch and invariant since the start of the load.
   *
   * @returns The number of calls, and of those whose outcome their customers did not learn and which they repeated.
   * @throws Error with the violations, a line each.
   */
  run(during: () => Promise<void>): Promise<{ readonly calls: number; readonly unknown: number }>;
}

const shop = 'rolling';
const pace = { shoppers: 4, pauseMs: 30 };
const ample = ['a', 'b', 'c', 'd', 'e', 'f'];
const stock = { ...Object.fromEntries(ample.map((sku) => [sku, 1_000_000])), scarce: 40 };
const loadMs = 2000;
const giveUpAfterMs = 10_000;

export async function startJudgedLoad(cluster: Cluster): Promise<JudgedLoad> {
  await using starting = new AsyncDisposableStack();
  const random = seededRandom(shop);
  const history: Call[] = [];
  const scopes = ['orders:read:any', 'orders:write:any', 'orders:read', 'orders:write'];
  const customers = starting.use(
    openCustomers({
      target: cluster.ordersTarget,
      token: await cluster.token('shop', scopes),
      onCall: (call) => history.push(call),
    }),
  );
  await setStock(cluster, stock);
  const customerIds = customerIdsOf(shop, pace.shoppers);
  const watchers = starting.use(
    await startWatchers({
      databases: cluster,
      inventoryTarget: cluster.inventoryTarget,
      stockToken: await cluster.token('watcher', ['inventory:read']),
      random,
      customers,
      customerIds,
    }),
  );
  const judge = async () => {
    const verdict = await judgeHistory(cluster, history, shop);
    const lists = await listErrors(cluster, customers, customerIds);
    return [...Object.values(verdict).flat(), ...(await watchers.errors()), ...lists];
  };
  const started = starting.move();
  return {
    run: async (during) => {
      const before = history.length;
      const traffic = startTraffic({
        customers,
        shop,
        random: random.fork(`${before}`),
        skus: Object.keys(stock),
        ...pace,
      });
      try {
        await Promise.all([during(), sleep(loadMs)]);
      } finally {
        await traffic.stop({ giveUpAfterMs });
      }
      const violations = await crossingErrors(cluster, customers, () => ({
        customerId: `${shop} crossing`,
        requestId: random.uuid(),
        units: { a: 1 },
      }));
      await untilSettled(cluster, performance.now());
      violations.push(...(await judge()));
      const made = history.slice(before);
      const count = (kind: Outcome['kind']) => made.filter(({ outcome }) => outcome.kind === kind).length;
      if (count('ok') === 0) violations.push('no order was placed');
      if (violations.length > 0) throw new Error(violations.join('\n'));
      return { calls: made.length, unknown: count('unknown') };
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
