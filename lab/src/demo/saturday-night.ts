import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStandingBooks } from '../faults/check-databases.ts';
import { openCustomers } from '../harness/customer.ts';
import type { Call } from '../harness/history.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { shoppersOf } from '../harness/traffic.ts';
import { untilSettled } from '../harness/until-settled.ts';
import { judge, type Verdict } from '../harness/verdict.ts';
import { startWatchers } from '../harness/watchers.ts';
import type { Pair } from '../pair/pair.ts';
import { importStock } from '../pair/stock-room.ts';
import { startCrowd } from './crowd.ts';
import { stockFor } from './items.ts';
import { expectedOrders, type Night } from './night.ts';
import { firstConfirmedMs, goThroughOutage, type Outage } from './outage.ts';
import { countOrders, type Score, startScoreboard } from './scoreboard.ts';
import type { Visit } from './visit.ts';

export interface NightOptions {
  readonly pair: Pair;
  readonly night: Night;
  readonly onSecond: (score: Score, happening: string) => void;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** What the night came to. */
export interface NightResult {
  /** At the end, as the database has them. */
  readonly orders: Score['orders'];
  readonly worstPending: number;
  readonly visits: readonly Visit[];
  /** PlaceOrder calls with a request id that had been sent before. */
  readonly retried: number;
  readonly verdict: Verdict;
  readonly outage: Outage;
  /** From inventory's SIGKILL until an order was confirmed that was placed after it. */
  readonly firstConfirmedMs: number | undefined;
}

const usual = 'all is up';
const shop = 'saturday';
const customerCount = 200;
/** How many of them watch what becomes of their orders. */
const watcherCount = 5;
const giveUpAfterMs = 15_000;

/** Lets the night come over the pair, and judges what is left. Rejects when it is ended early. */
export async function goThrough({ pair, night, onSecond, signal }: NightOptions): Promise<NightResult> {
  const history: Call[] = [];
  const random = seededRandom(randomUUID());
  const customerIds = shoppersOf(shop, customerCount);
  const databases = {
    ordersDatabaseUrl: pair.databaseUrl('orders'),
    inventoryDatabaseUrl: pair.databaseUrl('inventory'),
  };
  await using books = openStandingBooks(databases);
  await importStock(pair, randomUUID(), stockFor(expectedOrders(night)));
  const scopes = ['orders:read', 'orders:write', 'orders:read:any', 'orders:write:any'];
  using customers = openCustomers({
    target: pair.ordersTarget,
    token: await pair.token('shop', scopes),
    onCall: (call) => history.push(call),
  });
  await using watchers = await startWatchers({
    books,
    inventoryTarget: pair.inventoryTarget,
    stockToken: await pair.token('watcher', ['inventory:read']),
    random: random.fork('watchers'),
    customers,
    customerIds: customerIds.slice(0, watcherCount),
  });

  const startMs = performance.now();
  const until = (second: number) =>
    sleep(Math.max(0, startMs + second * 1000 - performance.now()), undefined, { signal });
  let happening = usual;
  await using crowd = startCrowd({ customers, customerIds, random: random.fork('crowd'), night, startMs });
  const { visits } = crowd;
  await using scoreboard = startScoreboard({
    books,
    visits,
    startMs,
    onSecond: (score) => signal.aborted || onSecond(score, happening),
  });

  const onChange = (change: string) => {
    happening = change;
  };
  const outage = await goThroughOutage({ pair, books, night, until, onChange, signal });
  onChange(usual);
  await until(night.seconds);
  onChange('closed');
  await crowd.finish({ giveUpAfterMs });
  await untilSettled(books, performance.now(), { signal });
  await scoreboard.stop();

  const verdict = await judge(books, history, shop);
  return {
    orders: await countOrders(books),
    worstPending: scoreboard.worstPending,
    visits,
    retried: retriesIn(history),
    verdict: {
      ...verdict,
      oversold: [...new Set([...scoreboard.oversold, ...verdict.oversold])],
      wrong: [...verdict.wrong, ...(await watchers.errors()), ...complaintsOf(pair)],
    },
    outage,
    firstConfirmedMs: await firstConfirmedMs(books, outage),
  };
}

function retriesIn(history: readonly Call[]): number {
  const placing = history.filter(({ method }) => method === 'place');
  return placing.length - new Set(placing.map(({ wish }) => wish)).size;
}

/** Services that have ended though nobody had asked them to. */
function complaintsOf({ services }: Pair): string[] {
  return services
    .filter(({ process }) => process.exitCode !== null || process.signalCode !== null)
    .map(({ name, process }) => `${name} ended by itself (${process.signalCode ?? process.exitCode})`);
}
