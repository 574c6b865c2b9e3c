import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTimeout, isUnavailable } from '@acme/postgres/errors';
import type { Pool } from '@acme/postgres/pool';
import { transaction } from '@acme/postgres/transaction';

export interface WriteEventsOptions {
  readonly pool: Pool;
  readonly customerIds: readonly string[];
  /** Number of concurrent transactions. */
  readonly writers: number;
  /** Minimum number of events to write. */
  readonly events: number;
  /** Maximum time from the writes of a transaction to its end. */
  readonly maxDelayMs: number;
}

/** Rolls back one transaction in twenty. */
class RolledBack extends Error {}

/**
 * Writes orders and events directly to the database, with statements like those of the service. Transactions commit in
 * another order than that of their sequence numbers: each stays open for a random time, they wait for each other's row
 * locks, and some are rolled back.
 */
export async function writeEvents({ pool, customerIds, writers, events, maxDelayMs }: WriteEventsOptions) {
  const orders: string[] = [];
  let written = 0;
  const pick = <T>(of: readonly T[]) => of[Math.floor(Math.random() * of.length)] as T;
  const failed = new AbortController();
  const write = async () => {
    while (written < events && !failed.signal.aborted) {
      const made = Array.from({ length: 1 + Math.floor(Math.random() * 12) }, () => randomUUID());
      // Sorted, so that transactions do not deadlock.
      const changed = [...new Set(orders.length > 0 ? [pick(orders), pick(orders)] : [])].sort();
      const work = transaction(pool, async (tx) => {
        await tx.query({ name: 'change', text: change, values: [changed] });
        await tx.query({ name: 'make', text: make, values: [made, pick(customerIds)] });
        await sleep(Math.random() * maxDelayMs);
        if (Math.random() < 0.05) throw new RolledBack();
      });
      await work.then(
        () => {
          written += made.length + changed.length;
          orders.push(...made);
          // Few enough for transactions to contend for the same orders.
          if (orders.length > 50) orders.splice(0, orders.length - 50);
        },
        async (error: unknown) => {
          if (error instanceof RolledBack) return;
          // On a busy machine the outcome is unknown. The table has the result.
          if (isUnavailable(error) || isTimeout(error)) await sleep(100);
          else throw error;
        },
      );
    }
  };
  const writing = Array.from({ length: writers }, async () => {
    try {
      await write();
    } catch (error) {
      failed.abort();
      throw error;
    }
  });
  await Promise.all(writing);
}

const make = `
  WITH placed AS (
    INSERT INTO orders (id, customer_id, request_id, fingerprint, lines, state, create_time, update_time, settle_after)
    SELECT id, $2, gen_random_uuid(), '', '[{"sku": "A", "quantity": 1}]', 'PENDING', now(), now(), now() + interval '1 day'
    FROM unnest($1::uuid[]) AS id
    RETURNING id, version, state
  )
  INSERT INTO order_events (order_id, version, state, event_time) SELECT id, version, state, now() FROM placed`;

const change = `
  WITH locked AS (
    SELECT id FROM orders WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
  ), changed AS (
    UPDATE orders SET state = 'CONFIRMED', version = version + 1, update_time = now(), settle_after = NULL
    FROM locked WHERE orders.id = locked.id
    RETURNING orders.id, version, state
  )
  INSERT INTO order_events (order_id, version, state, event_time) SELECT id, version, state, now() FROM changed`;
