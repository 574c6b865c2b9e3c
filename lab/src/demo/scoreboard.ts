import { setTimeout as sleep } from 'node:timers/promises';
import { type Databases, stockErrors } from '../harness/invariants.ts';
import type { OrderState } from '../harness/stored-orders.ts';
import { answeredWithinMs, type Visit } from './visit.ts';

/** The state of the night at one second. */
export interface Score {
  /** Seconds since the start. */
  readonly second: number;
  /** Orders answered in the last second. */
  readonly ordersPerSecond: number;
  /** Their p99, in ms. Undefined if there were none. */
  readonly p99Ms: number | undefined;
  /** Number of orders in each state, from the database. */
  readonly orders: Readonly<Record<OrderState, number>>;
}

/** Polls the databases and the visits during the night. */
export interface Scoreboard extends AsyncDisposable {
  /** Largest number of PENDING orders at a time. */
  readonly peakPending: number;
  /** Violations of the stock invariants in any poll, a line each. */
  readonly oversold: ReadonlySet<string>;
  /** Stops polling. Rejects with the error that ended it early. */
  stop(): Promise<void>;
}

export interface ScoreboardOptions {
  readonly databases: Databases;
  readonly visits: readonly Visit[];
  readonly startMs: number;
  readonly onSecond: (score: Score) => void;
}

const pollsPerSecond = 4;

export function startScoreboard({ databases, visits, startMs, onSecond }: ScoreboardOptions): Scoreboard {
  const stopped = new AbortController();
  const oversold = new Set<string>();
  let peakPending = 0;
  const poll = async () => {
    let lastMs = startMs;
    let seen = 0;
    for (let count = 1; ; count++) {
      const waitMs = startMs + (count * 1000) / pollsPerSecond - performance.now();
      await sleep(Math.max(0, waitMs), undefined, { signal: stopped.signal }).catch(() => {});
      if (stopped.signal.aborted) return;
      const orders = await countOrders(databases);
      peakPending = Math.max(peakPending, orders.PENDING);
      if (count % pollsPerSecond !== 0) continue;
      for (const error of await stockErrors(databases)) oversold.add(error);
      const fresh = visits.slice(seen);
      const nowMs = performance.now();
      onSecond({
        second: Math.round((nowMs - startMs) / 1000),
        ordersPerSecond: Math.round((fresh.length * 1000) / (nowMs - lastMs)),
        p99Ms: answeredWithinMs(fresh, 0.99),
        orders,
      });
      seen += fresh.length;
      lastMs = nowMs;
    }
  };
  const polling = poll();
  // `stop` rejects with this error.
  polling.catch(() => {});
  const stop = async () => {
    stopped.abort();
    await polling;
  };
  return {
    get peakPending() {
      return peakPending;
    },
    oversold,
    stop,
    [Symbol.asyncDispose]: () => stop().catch(() => {}),
  };
}

/** Returns the number of orders in each state. */
export async function countOrders({ ordersDatabase }: Databases): Promise<Record<OrderState, number>> {
  const { rows } = await ordersDatabase.query<{ state: OrderState; count: bigint }>(
    'SELECT state, count(*) FROM orders GROUP BY state',
  );
  const counts = { PENDING: 0, CONFIRMED: 0, REJECTED: 0, CANCELLED: 0 };
  for (const { state, count } of rows) counts[state] = Number(count);
  return counts;
}
