import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, emptyDatabases, healCluster } from '../../cluster/cluster.ts';
import { openCustomers } from '../../harness/customers.ts';
import type { Call } from '../../harness/history.ts';
import { stockErrors } from '../../harness/invariants.ts';
import { type Measured, openMeasurements } from '../../harness/measurements.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { setStock } from '../../harness/stock.ts';
import { customerIdsOf, startTraffic } from '../../harness/traffic.ts';
import { untilSettled } from '../../harness/until-settled.ts';
import { judgeHistory } from '../../harness/verdict.ts';
import { startWatchers } from '../../harness/watchers.ts';
import { withTimeout } from '../../harness/with-timeout.ts';
import type { Scenario, ScenarioContext } from '../scenarios/scenario.ts';

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly rounds: number;
  /** Number of orders in the database. */
  readonly orders: number;
  /** Number of calls with an unknown outcome. */
  readonly unknown: number;
  /** Violated invariants, a line each, lost orders included. */
  readonly violations: readonly string[];
  readonly lost: number;
  /** Expectations of the scenario that were not met, a line each. */
  readonly unmet: readonly string[];
  /** Longest time from the end of the faults until all orders were settled. */
  readonly settleMs: number;
  readonly notes: readonly string[];

  readonly measured: readonly Measured[];
  readonly history: readonly Call[];
  /** Why the scenario did not run. Undefined if it did. */
  readonly notRun?: string;
}

export interface RunScenarioOptions {
  readonly scenario: Scenario;
  readonly cluster: Cluster;
  readonly rounds: number;
  readonly seed: string;
  readonly isShort: boolean;
  readonly onRound: (done: number) => void;
}

/** SKUs of the traffic: eight with ample stock, two with too little. */
const ample = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const initialStock = { ...Object.fromEntries(ample.map((sku) => [sku, 1_000_000])), scarce: 60, rare: 15 };
/** All orders are settled and checked after this many rounds. */
const roundsPerLeg = 10;
const roundTimeoutMs = 240_000;
const giveUpAfterMs = 15_000;

/** Runs the rounds of a scenario, up to the first failure, and checks every invariant after each leg. */
export async function runScenario(options: RunScenarioOptions): Promise<ScenarioResult> {
  const { scenario, cluster, rounds, isShort, onRound } = options;
  const random = seededRandom(`${options.seed} ${scenario.name}`);
  const history: Call[] = [];
  const violations = new Set<string>();
  const unmet: string[] = [];
  const notes: string[] = [];
  const measurements = openMeasurements();
  let settleMs = 0;
  let lost = 0;
  let purchases = 0;
  const token = await cluster.token('shop', [
    'orders:read:any',
    'orders:write:any',
    'orders:read',
    'orders:write',
  ]);
  using customers = openCustomers({
    target: cluster.ordersTarget,
    token,
    onCall: (call) => history.push(call),
  });
  await emptyDatabases(cluster);
  await setStock(cluster, initialStock);
  await using watchers = scenario.watched
    ? await startWatchers({
        databases: cluster,
        inventoryTarget: cluster.inventoryTarget,
        stockToken: await cluster.token('watcher', ['inventory:read']),
        random,
        customers,
        customerIds: customerIdsOf(scenario.name, pace.shoppers),
      })
    : undefined;

  const contextOf = (round: number): ScenarioContext => ({
    cluster,
    random,
    round,
    isShort,
    customers,
    history,
    purchase: (units) => ({
      customerId: `${scenario.name} buyer-${purchases++}`,
      requestId: random.uuid(),
      units,
    }),
    setStock: (units) => setStock(cluster, units),
    expect: (holds, text) => {
      if (!holds) unmet.push(`round ${round + 1}: ${text}`);
    },
    note: (text) => notes.push(text),
    measure: measurements.add,
  });

  let round = 0;
  while (round < rounds && violations.size === 0 && unmet.length === 0) {
    const watch = watchStock(cluster, violations);
    const traffic =
      scenario.traffic === false
        ? undefined
        : startTraffic({
            customers,
            shop: scenario.name,
            random: random.fork(`leg ${round}`),
            skus: Object.keys(initialStock),
            ...pace,
          });
    for (const end = Math.min(rounds, round + roundsPerLeg); round < end && unmet.length === 0; round++) {
      await withTimeout(
        roundTimeoutMs,
        `the end of round ${round + 1}`,
        scenario.round(contextOf(round)),
      ).catch((error) => unmet.push(`round ${round + 1}: ${error instanceof Error ? error.message : error}`));
      onRound(round + 1);
    }
    await healCluster(cluster);
    const healedMs = performance.now();
    await traffic?.stop({ giveUpAfterMs });
    settleMs = Math.max(settleMs, await untilSettled(cluster, healedMs));
    await watch.stop();
    const verdict = await judgeHistory(cluster, history, scenario.name);
    lost = verdict.lost.length;
    const watchErrors = (await watchers?.errors()) ?? [];
    for (const violation of [...Object.values(verdict).flat(), ...unexpectedExits(cluster), ...watchErrors])
      violations.add(violation);
  }
  unmet.push(...measurements.overLimit());
  const orders = await countOrders(cluster);
  const unknown = history.filter(({ outcome }) => outcome.kind === 'unknown').length;
  return {
    scenario,
    rounds: round,
    orders,
    unknown,
    violations: [...violations],
    lost,
    unmet,
    settleMs,
    notes,
    measured: measurements.all(),
    history,
  };
}

const pace = { shoppers: 6, pauseMs: 25 };

function unexpectedExits({ orders, inventory }: Cluster): string[] {
  return [...orders, ...inventory].flatMap(({ unexpectedExit }) => unexpectedExit ?? []);
}

/** Checks the stock invariants continuously: they must hold during a fault, too. */
function watchStock(cluster: Cluster, violations: Set<string>): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const watch = async () => {
    while (!stopped.signal.aborted) {
      // A database that is down is checked when it is up again.
      for (const error of await stockErrors(cluster).catch(() => []))
        violations.add(`during the fault: ${error}`);
      await sleep(100, undefined, { signal: stopped.signal }).catch(() => {});
    }
  };
  const watching = watch();
  return {
    stop: async () => {
      stopped.abort();
      await watching;
    },
  };
}

async function countOrders({ ordersDatabase }: Cluster): Promise<number> {
  const { rows } = await ordersDatabase.query<{ count: bigint }>('SELECT count(*) FROM orders');
  return Number(rows[0]?.count);
}
