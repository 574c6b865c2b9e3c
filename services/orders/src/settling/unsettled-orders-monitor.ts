import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@acme/postgres/pool';
import type { Logger } from '@acme/rpc/logging';
import { metrics } from '@opentelemetry/api';

export interface UnsettledOrdersMonitorDependencies {
  readonly pool: Pool;
  readonly log: Logger;
  /** Monotonic clock, in ms. The age of orders uses the database's clock, which replicas share. */
  readonly nowMs: () => number;
}

export interface UnsettledOrdersMonitor {
  /** Measures the unsettled orders. Logs a warning about overdue ones, at most once a minute. */
  check(): Promise<void>;
  /** Removes the callbacks of the gauges. */
  close(): void;
}

/** Orders are settled within this time after a fault has ended. Older ones need an operator. */
const overdueMs = 30_000;
/** Minimum time between two warnings. */
const warnEveryMs = 60_000;
const checkEveryMs = 10_000;
/** Maximum number of orders that a check reads. A count of this number means this many or more. */
const maxCounted = 20_000;
/** Maximum number of order ids in a warning. */
const maxLoggedIds = 20;

/**
 * Returns a monitor of the orders that are PENDING or whose stock has to be released. It exports their number as
 * `orders.unsettled.count` and the age of the oldest as `orders.unsettled.oldest_age`, in seconds. All replicas measure the
 * same orders, so aggregate with the maximum, not the sum.
 */
export function createUnsettledOrdersMonitor({
  pool,
  log,
  nowMs,
}: UnsettledOrdersMonitorDependencies): UnsettledOrdersMonitor {
  let measured = { count: 0, oldestAgeS: 0 };
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  const meter = metrics.getMeter('@acme/orders');
  const count = meter.createObservableGauge('orders.unsettled.count', {
    unit: '{order}',
    description: `Orders that are PENDING or whose stock has to be released; ${maxCounted} means this many or more.`,
  });
  const oldestAge = meter.createObservableGauge('orders.unsettled.oldest_age', {
    unit: 's',
    description: 'Age of the oldest of them.',
  });
  const observeCount: Parameters<typeof count.addCallback>[0] = (result) => result.observe(measured.count);
  const observeAge: Parameters<typeof count.addCallback>[0] = (result) => result.observe(measured.oldestAgeS);
  count.addCallback(observeCount);
  oldestAge.addCallback(observeAge);
  return {
    check: async () => {
      const { overdue, overdueIds, ...rest } = await readUnsettled(pool);
      measured = rest;
      const checkedAtMs = nowMs();
      if (overdue === 0 || checkedAtMs - warnedAtMs < warnEveryMs) return;
      warnedAtMs = checkedAtMs;
      const fields = { count: overdue, oldest_age_s: measured.oldestAgeS, order_ids: overdueIds };
      log.warn(fields, `orders have not been settled for over ${overdueMs / 1000} s`);
    },
    close: () => {
      count.removeCallback(observeCount);
      oldestAge.removeCallback(observeAge);
    },
  };
}

/** Starts a monitor that checks every 10 s until it is stopped. */
export function startUnsettledOrdersMonitor(dependencies: UnsettledOrdersMonitorDependencies): {
  stop(): Promise<void>;
} {
  const monitor = createUnsettledOrdersMonitor(dependencies);
  const stopped = new AbortController();
  const run = async () => {
    while (!stopped.signal.aborted) {
      await monitor
        .check()
        .catch((err: unknown) => dependencies.log.warn({ err }, 'cannot count the unsettled orders'));
      await sleep(checkEveryMs, undefined, { signal: stopped.signal }).catch(() => {});
    }
    monitor.close();
  };
  const running = run();
  return {
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}

interface Unsettled {
  readonly count: number;
  readonly oldestAgeS: number;
  /** Number of overdue orders among them. */
  readonly overdue: number;
  /** Ids of the oldest overdue orders. */
  readonly overdueIds: readonly string[];
}

/** Reads the settler's index, which contains only unsettled orders. */
async function readUnsettled(pool: Pool): Promise<Unsettled> {
  const { rows } = await pool.query<Unsettled>({
    name: 'unsettled-orders',
    text: `WITH unsettled AS MATERIALIZED (
             SELECT id, update_time FROM orders WHERE settle_after IS NOT NULL LIMIT $2
           ), overdue AS (
             SELECT id, update_time FROM unsettled WHERE update_time < now() - $1 * interval '1 ms'
           )
           SELECT count(*)::int AS count,
                  greatest(0, coalesce(extract(epoch FROM now() - min(update_time)), 0))::float8 AS "oldestAgeS",
                  (SELECT count(*)::int FROM overdue) AS overdue,
                  ARRAY(SELECT id FROM overdue ORDER BY update_time, id LIMIT $3) AS "overdueIds"
           FROM unsettled`,
    values: [overdueMs, maxCounted, maxLoggedIds],
  });
  return rows[0] as Unsettled;
}
