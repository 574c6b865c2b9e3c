import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createClient, resumingWatch } from '@acme/rpc/client';
import type { RpcError } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import type { Replica } from '../../cluster/replica.ts';
import { runReconcile } from '../../cluster/run-reconcile.ts';
import { type Customers, openCustomers, untilDefinite } from '../../harness/customers.ts';
import { acknowledgementsOf, type Call } from '../../harness/history.ts';
import { historyErrors } from '../../harness/history-errors.ts';
import { lostOrders, settledErrors, stockErrors } from '../../harness/invariants.ts';
import { startTraffic } from '../../harness/traffic.ts';
import { untilSettled } from '../../harness/until-settled.ts';
import { withTimeout } from '../../harness/with-timeout.ts';
import { confirmedOrderMs } from './expectations.ts';
import type { ScenarioContext } from './scenario.ts';

/** SKUs of the lossy traffic, none of which runs out: an order without enough stock is not mended. */
const skus = ['a', 'b', 'c'];
const pace = { shoppers: 6, pauseMs: 25 };
const giveUpAfterMs = 15_000;
/** A restarted watch must have received an event by then, on a busy machine too. */
const watchTimeoutMs = 60_000;

/**
 * Returns the rounds. Each loses the last orders, or the last reservations, with a primary whose standby was cut off before,
 * counts what is gone, and runs the command that mends what the two databases disagree on.
 */
export function loseAndMend(): (context: ScenarioContext) => Promise<void> {
  const total = { acknowledged: 0, reservations: 0, orders: 0 };
  return async (context) => {
    const { cluster, random, round, expect, note } = context;
    const name = round % 2 === 0 ? 'orders' : 'inventory';
    const pair = cluster.pairs.get(name);
    if (!pair) throw new Error(`the database of ${name} has no standby`);
    const calls: Call[] = [];
    // The history of the scenario must not hold calls whose effects are lost on purpose.
    using customers = openCustomers({ ...context.customers.options, onCall: (call) => calls.push(call) });
    const shop = `lossy-${round}`;
    const traffic = startTraffic({ customers, shop, random: random.fork(shop), skus, ...pace });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => traffic.stop({ giveUpAfterMs: 0 }));
    await using watcher = await watcherOf(name, context, customers, shop);
    await sleep(random.int(300, 600));
    await pair.cutOffStandby();
    await watcher.receiveMore();
    await sleep(random.int(200, 600));
    await pair.killPrimary();
    await pair.promote();
    await pair.repoint();
    const promotedMs = performance.now();
    await confirmedOrderMs(context);
    await watcher.receiveMore();
    expect(watcher.restarts.includes('RESUME_TOKEN_AHEAD'), `the watch of ${name} did not restart`);
    await traffic.stop({ giveUpAfterMs });
    await untilSettled(cluster, performance.now());

    const lost = await lostOrders(cluster, acknowledgementsOf(calls));
    const disagreements = await settledErrors(cluster);
    total.acknowledged += lost.length;
    total.reservations += count(disagreements, /^reservation .* has no order$/);
    total.orders += count(disagreements, /holds nothing/);
    const loss = name === 'orders' ? lost : disagreements;
    expect(loss.length > 0, `the failover of ${name} lost nothing`);
    for (const error of errorsAfter(calls, promotedMs)) expect(false, error);
    const reconciled = await runReconcile(cluster.orders[0] as Replica, ['--mend']);
    expect(reconciled.exitCode === 0, `npm run reconcile: ${reconciled.lines.join(', ')}`);
    await untilSettled(cluster, performance.now());
    for (const error of [...(await stockErrors(cluster)), ...(await settledErrors(cluster))])
      expect(false, `after npm run reconcile: ${error}`);
    note(
      `${total.acknowledged} acknowledged orders lost, ${total.reservations} reservations without an order, ` +
        `${total.orders} orders without a reservation, all reconciled`,
    );
    await pair.heal();
  };
}

function count(lines: readonly string[], pattern: RegExp): number {
  return lines.filter((line) => pattern.test(line)).length;
}

/** Returns the contradictions of requests that were first made after the failover, and INTERNAL errors of all. */
function errorsAfter(calls: readonly Call[], promotedMs: number): string[] {
  const earlier = new Set(
    calls.filter(({ startMs }) => startMs < promotedMs).map(({ purchase }) => purchase.requestId),
  );
  const internal = calls.filter(
    ({ outcome }) => outcome.kind === 'unknown' && outcome.message === 'internal error',
  );
  return [
    ...historyErrors(calls.filter(({ purchase }) => !earlier.has(purchase.requestId))),
    ...internal.map(({ method, purchase }) => `request ${purchase.requestId}: ${method} returned INTERNAL`),
  ];
}

/** A client that watches changes, and lists again where the server cannot continue its watch. */
interface LossyWatcher extends AsyncDisposable {
  /** Makes a change, and resolves when the watch has received an event since. */
  receiveMore(): Promise<void>;
  /** The reason of each restart. */
  readonly restarts: readonly string[];
}

/** Watches the orders of one customer, or all stock. */
async function watcherOf(
  name: string,
  { cluster, random }: ScenarioContext,
  customers: Customers,
  shop: string,
): Promise<LossyWatcher> {
  const customerId = `${shop} watcher`;
  const place = () =>
    untilDefinite(random, { giveUp: false }, () =>
      customers.place({ customerId, requestId: random.uuid(), units: { a: 1 } }),
    );
  if (name === 'orders')
    return startWatcher(place, (options) =>
      resumingWatch(customers.client.watchOrders, { customerId }, options),
    );
  const token = await cluster.token('watcher', ['inventory:read']);
  const inventory = createClient(InventoryService, { target: cluster.inventoryTarget, token: () => token });
  const watcher = startWatcher(place, (options) => resumingWatch(inventory.watchStock, {}, options));
  return {
    ...watcher,
    [Symbol.asyncDispose]: async () => {
      await watcher[Symbol.asyncDispose]();
      inventory[Symbol.dispose]();
    },
  };
}

interface Change {
  readonly order?: unknown;
  readonly stock?: unknown;
}

function startWatcher(
  change: () => Promise<unknown>,
  watch: (options: {
    readonly signal: AbortSignal;
    readonly onRestart: (error: RpcError) => void;
  }) => AsyncIterable<Change>,
): LossyWatcher {
  const stopped = new AbortController();
  const restarts: string[] = [];
  let received = 0;
  let ended: unknown;
  const onRestart = (error: RpcError) =>
    void restarts.push(error.findDetail(ErrorInfoSchema)?.reason ?? error.message);
  const watching = (async () => {
    for await (const { order, stock } of watch({ signal: stopped.signal, onRestart }))
      if (order ?? stock) received++;
  })().catch((error) => {
    ended = error;
  });
  const untilReceived = async () => {
    for (const before = received; received === before; ) {
      if (ended) throw ended;
      await change();
      await sleep(100);
    }
  };
  return {
    receiveMore: () => withTimeout(watchTimeoutMs, 'an event of the watch', untilReceived()),
    restarts,
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await watching;
    },
  };
}
