import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabases } from '../harness/check-databases.ts';
import { openCustomers } from '../harness/customers.ts';
import type { Call } from '../harness/history.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { setStock } from '../harness/stock.ts';
import { customerIdsOf } from '../harness/traffic.ts';
import { untilSettled } from '../harness/until-settled.ts';
import { judgeHistory, type Verdict } from '../harness/verdict.ts';
import { startWatchers } from '../harness/watchers.ts';
import type { Pair } from '../pair/pair.ts';
import { arrivals } from './arrivals.ts';
import { startCrowd } from './crowd.ts';
import { randomUnits, stockFor } from './items.ts';
import { expectedOrders, type Night, rateAt } from './night.ts';
import { firstConfirmedMs, type Outage, runOutage } from './outage.ts';
import { countOrders, type Score, startScoreboard } from './scoreboard.ts';
import type { Visit } from './visit.ts';

export interface NightOptions {
  readonly pair: Pair;
  readonly night: Night;
  readonly onSecond: (score: Score, phase: string) => void;
  /** Ends the night early. */
  readonly signal: AbortSignal;
}

export interface NightResult {
  /** Final number of orders in each state, from the database. */
  readonly orders: Score['orders'];
  /** Largest number of PENDING orders at a time. */
  readonly peakPending: number;
  readonly visits: readonly Visit[];
  /** Number of PlaceOrder calls with a request id that was sent before. */
  readonly retried: number;
  readonly verdict: Verdict;
  readonly outage: Outage;
  /** Time from the SIGKILL until the first confirmation of an order placed after it. */
  readonly firstConfirmedMs: number | undefined;
}

const normal = 'all is up';
const shop = 'saturday';
const customerCount = 200;
/** Number of customers that watch their orders. */
const watcherCount = 5;
const giveUpAfterMs = 15_000;

/** Runs the night against the pair and checks every invariant. Rejects when `signal` ends it early. */
export async function runNight({ pair, night, onSecond, signal }: NightOptions): Promise<NightResult> {
  const history: Call[] = [];
  const random = seededRandom(randomUUID());
  const customerIds = customerIdsOf(shop, customerCount);
  await using databases = openDatabases({
    ordersDatabaseUrl: pair.databaseUrl('orders'),
    inventoryDatabaseUrl: pair.databaseUrl('inventory'),
  });
  await setStock(pair, stockFor(expectedOrders(night)));
  const scopes = ['orders:read', 'orders:write', 'orders:read:any', 'orders:write:any'];
  using customers = openCustomers({
    target: pair.ordersTarget,
    token: await pair.token('shop', scopes),
    onCall: (call) => history.push(call),
  });
  await using watchers = await startWatchers({
    databases,
    inventoryTarget: pair.inventoryTarget,
    stockToken: await pair.token('watcher', ['inventory:read']),
    random: random.fork('watchers'),
    customers,
    customerIds: customerIds.slice(0, watcherCount),
  });

  const startMs = performance.now();
  const until = (second: number) =>
    sleep(Math.max(0, startMs + second * 1000 - performance.now()), undefined, { signal });
  let phase = normal;
  const visits: Visit[] = [];
  const arriving = {
    random: random.fork('arrivals'),
    rateAt: (timeMs: number) => rateAt(night, (timeMs - startMs) / 1000),
    startMs,
    endMs: startMs + night.seconds * 1000,
  };
  await using crowd = startCrowd({
    customers,
    customerIds,
    random: random.fork('crowd'),
    arrivals: (signal) => arrivals(arriving, signal),
    unitsOf: randomUnits,
    onVisit: (visit) => visits.push(visit),
  });
  await using scoreboard = startScoreboard({
    databases,
    visits,
    startMs,
    onSecond: (score) => signal.aborted || onSecond(score, phase),
  });

  const onPhase = (next: string) => {
    phase = next;
  };
  const outage = await runOutage({ pair, databases, night, until, onPhase, signal });
  onPhase(normal);
  await until(night.seconds);
  onPhase('closed');
  await crowd.finish({ giveUpAfterMs });
  await untilSettled(databases, performance.now(), { signal });
  await scoreboard.stop();

  const verdict = await judgeHistory(databases, history, shop);
  return {
    orders: await countOrders(databases),
    peakPending: scoreboard.peakPending,
    visits,
    retried: retriesIn(history),
    verdict: {
      ...verdict,
      oversold: [...new Set([...scoreboard.oversold, ...verdict.oversold])],
      wrong: [...verdict.wrong, ...(await watchers.errors()), ...unexpectedExits(pair)],
    },
    outage,
    firstConfirmedMs: await firstConfirmedMs(databases, outage),
  };
}

function retriesIn(history: readonly Call[]): number {
  const placing = history.filter(({ method }) => method === 'place');
  return placing.length - new Set(placing.map(({ purchase }) => purchase)).size;
}

/** Returns the services that exited by themselves, a line each. */
function unexpectedExits({ services }: Pair): string[] {
  return services
    .filter(({ process }) => process.exitCode !== null || process.signalCode !== null)
    .map(({ name, process }) => `${name} exited unexpectedly (${process.signalCode ?? process.exitCode})`);
}
