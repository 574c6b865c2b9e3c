import { setTimeout as sleep } from 'node:timers/promises';
import { type Books, stockErrors } from '../harness/invariants.ts';
import type { OrderState } from '../harness/recorded-orders.ts';
import { answeredWithinMs, type Visit } from './visit.ts';

/** Where the night stands. */
export interface Score {
  /** Since it began. */
  readonly second: number;
  /** Answered within the last second, and how fast. */
  readonly ordersPerSecond: number;
  readonly p99Ms: number | undefined;
  /** Orders, as the database has them. */
  readonly orders: Readonly<Record<OrderState, number>>;
}

/** Looks at the books and at the customers all the while. */
export interface Scoreboard extends AsyncDisposable {
  /** Most orders that were PENDING at a time. */
  readonly worstPending: number;
  /** What was oversold at any look, a line each. */
  readonly oversold: ReadonlySet<string>;
  /** Throws what kept it from looking. */
  stop(): Promise<void>;
}

export interface ScoreboardOptions {
  readonly books: Books;
  readonly visits: readonly Visit[];
  readonly startMs: number;
  readonly onSecond: (score: Score) => void;
}

const looksASecond = 4;

export function startScoreboard({ books, visits, startMs, onSecond }: ScoreboardOptions): Scoreboard {
  const stopped = new AbortController();
  const oversold = new Set<string>();
  let worstPending = 0;
  const watch = async () => {
    let lastMs = startMs;
    let seen = 0;
    for (let look = 1; ; look++) {
      const waitMs = startMs + (look * 1000) / looksASecond - performance.now();
      await sleep(Math.max(0, waitMs), undefined, { signal: stopped.signal }).catch(() => {});
      if (stopped.signal.aborted) return;
      const orders = await countOrders(books);
      worstPending = Math.max(worstPending, orders.PENDING);
      if (look % looksASecond !== 0) continue;
      for (const error of await stockErrors(books)) oversold.add(error);
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
  const watching = watch();
  // Whoever stops it hears of it.
  watching.catch(() => {});
  const stop = async () => {
    stopped.abort();
    await watching;
  };
  return {
    get worstPending() {
      return worstPending;
    },
    oversold,
    stop,
    [Symbol.asyncDispose]: () => stop().catch(() => {}),
  };
}

/** How many orders there are in each state. */
export async function countOrders({ ordersDatabase }: Books): Promise<Record<OrderState, number>> {
  const { rows } = await ordersDatabase.query<{ state: OrderState; count: bigint }>(
    'SELECT state, count(*) FROM orders GROUP BY state',
  );
  const counts = { PENDING: 0, CONFIRMED: 0, REJECTED: 0, CANCELLED: 0 };
  for (const { state, count } of rows) counts[state] = Number(count);
  return counts;
}
