import { setTimeout as sleep } from 'node:timers/promises';
import { emptyBooks, healRig, type Rig } from '../../cluster/cluster.ts';
import { stockShelves } from '../../cluster/shelves.ts';
import { openCustomers } from '../../harness/customer.ts';
import type { Call } from '../../harness/history.ts';
import { stockErrors } from '../../harness/invariants.ts';
import { type Measured, openMeasurements } from '../../harness/measurements.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { shoppersOf, startTraffic } from '../../harness/traffic.ts';
import { untilSettled } from '../../harness/until-settled.ts';
import { judge } from '../../harness/verdict.ts';
import { startWatchers } from '../../harness/watchers.ts';
import { type Row, type Stage, within } from '../scenarios/scenario.ts';

/** What came of a row. */
export interface RowResult {
  readonly row: Row;
  readonly rounds: number;
  /** Placed, as the database says. */
  readonly orders: number;
  /** Calls after which their caller knew nothing. */
  readonly unknown: number;
  /** Invariants that did not hold, a line each; those of orders that are lost among them. */
  readonly violations: readonly string[];
  readonly lost: number;
  /** What the row expected, and was not so. */
  readonly unmet: readonly string[];
  /** The longest time from the end of the faults until all was settled. */
  readonly settleMs: number;
  readonly notes: readonly string[];
  /** By their names, in ms. */
  readonly measured: readonly Measured[];
  readonly history: readonly Call[];
  /** Why it was not run; undefined when it was. */
  readonly notRun?: string;
}

export interface RunRowOptions {
  readonly row: Row;
  readonly rig: Rig;
  readonly rounds: number;
  readonly seed: string;
  readonly isShort: boolean;
  readonly onRound: (done: number) => void;
}

/** What the traffic buys: of some there is plenty, of some too little. */
const ample = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const shelves = { ...Object.fromEntries(ample.map((sku) => [sku, 1_000_000])), scarce: 60, rare: 15 };
/** After so many rounds all is to be settled, and checked. */
const roundsPerLeg = 10;
const roundTimeoutMs = 240_000;
const giveUpAfterMs = 15_000;

export async function runRow(options: RunRowOptions): Promise<RowResult> {
  const { row, rig, rounds, isShort, onRound } = options;
  const random = seededRandom(`${options.seed} ${row.name}`);
  const history: Call[] = [];
  const violations = new Set<string>();
  const unmet: string[] = [];
  const notes: string[] = [];
  const measurements = openMeasurements();
  let settleMs = 0;
  let lost = 0;
  let wishes = 0;
  const token = await rig.token('shop', [
    'orders:read:any',
    'orders:write:any',
    'orders:read',
    'orders:write',
  ]);
  using customers = openCustomers({ target: rig.ordersTarget, token, onCall: (call) => history.push(call) });
  await emptyBooks(rig);
  await stockShelves(rig, shelves);
  await using watchers = row.watched
    ? await startWatchers({
        books: rig,
        inventoryTarget: rig.inventory[0]?.front.target ?? '',
        stockToken: await rig.token('watcher', ['inventory:read']),
        random,
        customers,
        customerIds: shoppersOf(row.name, pace.shoppers),
      })
    : undefined;

  const stageOf = (round: number): Stage => ({
    rig,
    random,
    round,
    isShort,
    customers,
    history,
    wish: (units) => ({ customerId: `${row.name} buyer-${wishes++}`, requestId: random.uuid(), units }),
    setStock: (units) => stockShelves(rig, units),
    expect: (holds, what) => {
      if (!holds) unmet.push(`round ${round + 1}: ${what}`);
    },
    note: (text) => notes.push(text),
    measure: measurements.add,
  });

  let round = 0;
  while (round < rounds && violations.size === 0 && unmet.length === 0) {
    const watch = watchStock(rig, violations);
    const traffic =
      row.traffic === false
        ? undefined
        : startTraffic({
            customers,
            shop: row.name,
            random: random.fork(`leg ${round}`),
            skus: Object.keys(shelves),
            ...pace,
          });
    for (const end = Math.min(rounds, round + roundsPerLeg); round < end && unmet.length === 0; round++) {
      await within(roundTimeoutMs, `the end of round ${round + 1}`, row.round(stageOf(round))).catch(
        (error) => unmet.push(`round ${round + 1}: ${error instanceof Error ? error.message : error}`),
      );
      onRound(round + 1);
    }
    await healRig(rig);
    const healedMs = performance.now();
    await traffic?.stop({ giveUpAfterMs });
    settleMs = Math.max(settleMs, await untilSettled(rig, healedMs));
    await watch.stop();
    const verdict = await judge(rig, history, row.name);
    lost = verdict.lost.length;
    const unseen = (await watchers?.errors()) ?? [];
    for (const violation of [...Object.values(verdict).flat(), ...complaintsOf(rig), ...unseen])
      violations.add(violation);
  }
  unmet.push(...measurements.overLimit());
  const orders = await countOrders(rig);
  const unknown = history.filter(({ outcome }) => outcome.kind === 'unknown').length;
  return {
    row,
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

function complaintsOf({ orders, inventory }: Rig): string[] {
  return [...orders, ...inventory].flatMap(({ complaint }) => complaint ?? []);
}

/** Looks at the stock all the while: what holds at every moment must hold in the middle of a fault. */
function watchStock(rig: Rig, violations: Set<string>): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const watch = async () => {
    while (!stopped.signal.aborted) {
      // A database that is down is looked at when it is up again.
      for (const error of await stockErrors(rig).catch(() => []))
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

async function countOrders({ ordersDatabase }: Rig): Promise<number> {
  const { rows } = await ordersDatabase.query<{ count: bigint }>('SELECT count(*) FROM orders');
  return Number(rows[0]?.count);
}
