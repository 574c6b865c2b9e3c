import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@acme/postgres/pool/pool';
import type { Logger } from '@acme/rpc/logging/log';
import { metrics } from '@opentelemetry/api';

export interface UnsettledOrdersMonitorDependencies {
  readonly pool: Pool;
  readonly log: Logger;
  /** Monotonic clock, in ms. How old orders are goes by the database's clock, which replicas share. */
  readonly nowMs: () => number;
}

export interface UnsettledOrdersMonitor {
  /** Counts what is not settled, and complains of what has been so for too long, once a minute at the most. */
  check(): Promise<void>;
  /** Ends its measurements. */
  close(): void;
}

/** Faults that end are forgotten within this: what is older needs somebody. */
const tooOldMs = 30_000;
const complainEveryMs = 60_000;
const checkEveryMs = 10_000;
/** Orders that a check reads at the most: as many stands for as many or more. */
const maxRead = 20_000;
const maxNamed = 20;

/**
 * Watches that nothing stays unsettled: `orders.unsettled.count`, and `orders.unsettled.oldest_age` in seconds, of
 * orders that are PENDING or owe inventory a release. All replicas see the same; take the maximum, not the sum.
 */
export function createUnsettledOrdersMonitor({
  pool,
  log,
  nowMs,
}: UnsettledOrdersMonitorDependencies): UnsettledOrdersMonitor {
  let seen = { count: 0, oldestAgeS: 0 };
  let complainedMs = Number.NEGATIVE_INFINITY;
  const meter = metrics.getMeter('@acme/orders');
  const count = meter.createObservableGauge('orders.unsettled.count', {
    unit: '{order}',
    description: `Orders that are PENDING or owe a release; ${maxRead} stands for as many or more.`,
  });
  const oldestAge = meter.createObservableGauge('orders.unsettled.oldest_age', {
    unit: 's',
    description: 'How long the oldest of them has been so.',
  });
  const observeCount: Parameters<typeof count.addCallback>[0] = (result) => result.observe(seen.count);
  const observeAge: Parameters<typeof count.addCallback>[0] = (result) => result.observe(seen.oldestAgeS);
  count.addCallback(observeCount);
  oldestAge.addCallback(observeAge);
  return {
    check: async () => {
      const { tooOld, ids, ...rest } = await readUnsettled(pool);
      seen = rest;
      const checkedMs = nowMs();
      if (tooOld === 0 || checkedMs - complainedMs < complainEveryMs) return;
      complainedMs = checkedMs;
      const fields = { count: tooOld, oldest_age_s: seen.oldestAgeS, order_ids: ids };
      log.warn(fields, `orders have not been settled for over ${tooOldMs / 1000} s`);
    },
    close: () => {
      count.removeCallback(observeCount);
      oldestAge.removeCallback(observeAge);
    },
  };
}

/** Checks every 10 s, until it is stopped. */
export function startUnsettledOrdersMonitor(parts: UnsettledOrdersMonitorDependencies): {
  stop(): Promise<void>;
} {
  const reconciliation = createUnsettledOrdersMonitor(parts);
  const stopped = new AbortController();
  const run = async () => {
    while (!stopped.signal.aborted) {
      await reconciliation
        .check()
        .catch((err: unknown) => parts.log.warn({ err }, 'cannot count the orders'));
      await sleep(checkEveryMs, undefined, { signal: stopped.signal }).catch(() => {});
    }
    reconciliation.close();
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
  /** Of them, those that are too old, and the first few. */
  readonly tooOld: number;
  readonly ids: readonly string[];
}

/** Reads the settler's index, which holds what is unsettled and nothing else. */
async function readUnsettled(pool: Pool): Promise<Unsettled> {
  const { rows } = await pool.query<Unsettled>({
    name: 'unsettled-orders',
    text: `WITH unsettled AS MATERIALIZED (
             SELECT id, update_time FROM orders WHERE settle_after IS NOT NULL LIMIT $2
           ), too_old AS (
             SELECT id, update_time FROM unsettled WHERE update_time < now() - $1 * interval '1 ms'
           )
           SELECT count(*)::int AS count,
                  greatest(0, coalesce(extract(epoch FROM now() - min(update_time)), 0))::float8 AS "oldestAgeS",
                  (SELECT count(*)::int FROM too_old) AS "tooOld",
                  ARRAY(SELECT id FROM too_old ORDER BY update_time, id LIMIT $3) AS ids
           FROM unsettled`,
    values: [tooOldMs, maxRead, maxNamed],
  });
  return rows[0] as Unsettled;
}
