import { createBatcher } from '@acme/postgres/batch';
import type { Pool } from '@acme/postgres/pool';
import type { Order, Settlement } from '../order/order.ts';
import type { OnTransition } from '../order/order-metrics.ts';
import { fromRow, type OrderRow, orderColumns } from '../order/order-row.ts';

export interface SettlementStore {
  /** Settles the order if it is still PENDING (T3 in ARCHITECTURE.md). Returns the order as it is then. */
  settle(id: string, settlement: Settlement): Promise<Order>;
  /**
   * Leases up to `limit` orders that are due: PENDING orders, and orders whose stock has to be released. One settler at a
   * time holds a lease. An order that is not settled when its lease ends is due again after a backoff, which grows with
   * the number of attempts.
   */
  leaseDue(options: { limit: number; leaseMs: number }): Promise<DueOrder[]>;
  /** Ends the leases of orders that could not be settled. Only their backoff remains. */
  releaseLeases(due: readonly DueOrder[], options: { leaseMs: number }): Promise<void>;
  /** Leases at most one unsettled order, due or not, as a probe of inventory. It does not count as an attempt. */
  leaseProbe(options: { leaseMs: number }): Promise<DueOrder[]>;
  /** Ends the backoff of up to 1,000 orders, which are then due at once. Skips persistent failures. */
  expedite(): Promise<void>;
  /** Records that the stock of a cancelled or rejected order is released. */
  markReleased(id: string): Promise<void>;
}

export interface DueOrder {
  readonly order: Order;
  /** Number of times it was leased, including this one. */
  readonly attempts: number;
}

interface SettleCommand {
  readonly id: string;
  readonly settlement: Settlement;
}

/** Number of attempts from which on an order is a persistent failure. The index of migration 0002 has the same number. */
const persistentFailureAttempts = 8;
/** Share of a batch for persistent failures. */
const persistentFailureShare = 1 / 8;
/** Backoff after an attempt, doubled each time, with full jitter. Three of the longest fit in the 30 s of the guarantee. */
const firstBackoffMs = 250;
const maxBackoffMs = 8_000;
/** Maximum number of orders that `expedite` makes due. */
const maxExpedited = 1000;

/** @param now Wall clock for the times that customers see. */
export function createSettlementStore(
  pool: Pool,
  now: () => Date,
  onTransition: OnTransition = () => {},
): SettlementStore {
  const settle = createBatcher<SettleCommand, Order>({
    name: 'settle-orders',
    run: (commands) => settleAll(pool, commands, now(), onTransition),
    maxItems: 128,
    maxQueued: 4096,
  });
  return {
    settle: (id, settlement) => settle({ id, settlement }),
    leaseDue: async ({ limit, leaseMs }) => {
      const { rows } = await pool.query<DueRow>({
        name: 'lease-due-orders',
        text: `WITH first AS MATERIALIZED (
                 SELECT id FROM orders WHERE settle_after <= now() AND settle_attempts < ${persistentFailureAttempts}
                 ORDER BY settle_after LIMIT $1::int - $2::int FOR NO KEY UPDATE SKIP LOCKED
               ), again AS MATERIALIZED (
                 SELECT id FROM orders WHERE settle_after <= now() AND settle_attempts >= ${persistentFailureAttempts}
                 ORDER BY settle_after LIMIT $1::int - (SELECT count(*) FROM first) FOR NO KEY UPDATE SKIP LOCKED
               )
               UPDATE orders
               SET settle_attempts = settle_attempts + 1,
                   settle_after = now() + interval '1 ms'
                     * ($3::int + random() * least($5::int, $4::int * 2 ^ least(settle_attempts, 30)))
               WHERE id IN (SELECT id FROM first UNION ALL SELECT id FROM again)
               RETURNING ${orderColumns}, settle_attempts`,
        values: [limit, Math.floor(limit * persistentFailureShare), leaseMs, firstBackoffMs, maxBackoffMs],
      });
      return rows.map(dueFromRow);
    },
    releaseLeases: async (due, { leaseMs }) => {
      const leased = due.map(({ order, attempts }) => ({ id: order.id, attempts }));
      await pool.query({
        name: 'release-order-leases',
        // Skips orders that another settler has leased in the meantime.
        text: `WITH ended AS MATERIALIZED (
                 SELECT id FROM orders JOIN jsonb_to_recordset($1) AS leased (id uuid, attempts int) USING (id)
                 WHERE settle_after > now() AND settle_attempts = attempts
                 FOR NO KEY UPDATE OF orders SKIP LOCKED
               )
               UPDATE orders SET settle_after = settle_after - $2 * interval '1 ms'
               WHERE id IN (SELECT id FROM ended)`,
        values: [JSON.stringify(leased), leaseMs],
      });
    },
    leaseProbe: async ({ leaseMs }) => {
      const soonest = (comparison: '<' | '>=') =>
        `(SELECT id FROM orders WHERE settle_after IS NOT NULL AND settle_attempts ${comparison} ${persistentFailureAttempts}
          ORDER BY settle_after LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)`;
      const { rows } = await pool.query<DueRow>({
        name: 'lease-probe-order',
        text: `UPDATE orders SET settle_after = now() + $1 * interval '1 ms'
               WHERE id = coalesce(${soonest('<')}, ${soonest('>=')})
               RETURNING ${orderColumns}, settle_attempts`,
        values: [leaseMs],
      });
      return rows.map(dueFromRow);
    },
    expedite: async () => {
      await pool.query({
        name: 'expedite-orders',
        text: `UPDATE orders SET settle_after = now()
               WHERE id IN (SELECT id FROM orders
                            WHERE settle_after > now() AND settle_attempts < ${persistentFailureAttempts}
                            ORDER BY settle_after LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)`,
        values: [maxExpedited],
      });
    },
    markReleased: async (id) => {
      await pool.query({
        name: 'mark-released',
        text: `UPDATE orders SET settle_after = NULL WHERE id = $1 AND state IN ('CANCELLED', 'REJECTED')`,
        values: [id],
      });
    },
  };
}

interface DueRow extends OrderRow {
  settle_attempts: number;
}

function dueFromRow(row: DueRow): DueOrder {
  return { order: fromRow(row), attempts: row.settle_attempts };
}

/** Settles many orders in one statement, and so in one transaction. */
async function settleAll(
  pool: Pool,
  commands: readonly SettleCommand[],
  now: Date,
  onTransition: OnTransition,
): Promise<Order[]> {
  const { rows } = await pool.query<OrderRow>({
    name: 'settle-orders',
    text: `WITH settled AS (
             UPDATE orders
             SET state = settlement.state, rejection = settlement.rejection,
                 version = version + 1, update_time = $2,
                 settle_after = CASE WHEN settlement."needsRelease" THEN now() END
             FROM jsonb_to_recordset($1)
               AS settlement (id uuid, state text, rejection jsonb, "needsRelease" boolean)
             WHERE orders.id = settlement.id AND orders.state = 'PENDING'
             RETURNING ${orderColumns}
           ), event AS (
             INSERT INTO order_events (order_id, customer, version, state, event_time)
             SELECT id, customer_id, version, state, $2 FROM settled
           )
           SELECT * FROM settled`,
    values: [JSON.stringify(commands.map(({ id, settlement }) => ({ id, ...settlement }))), now],
  });
  const settled = new Map(rows.map((row) => [row.id, fromRow(row)]));
  for (const order of settled.values()) onTransition(order);
  const others = await read(
    pool,
    commands.map(({ id }) => id).filter((id) => !settled.has(id)),
  );
  return commands.map(({ id }) => (settled.get(id) ?? others.get(id)) as Order);
}

async function read(pool: Pool, ids: readonly string[]): Promise<Map<string, Order>> {
  if (ids.length === 0) return new Map();
  const { rows } = await pool.query<OrderRow>({
    name: 'orders-by-id',
    text: `SELECT ${orderColumns} FROM orders WHERE id = ANY ($1)`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.id, fromRow(row)]));
}
