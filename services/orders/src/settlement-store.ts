import { createBatcher } from '@acme/postgres/batch';
import type { Pool } from '@acme/postgres/pool';
import type { Order, Settlement } from './order.ts';
import { fromRow, type OrderRow, orderColumns } from './order-row.ts';

export interface SettlementStore {
  /** T3: settles the order if it is still PENDING; the order as it stands then. */
  settle(id: string, settlement: Settlement): Promise<Order>;
  /** The order as it stands. */
  current(id: string): Promise<Order>;
  /** Orders that something is owed to, at most `limit`, each given to one settler for the time of its lease. */
  takeDue(options: { limit: number; leaseMs: number }): Promise<Order[]>;
  /** Marks the release of a cancelled order's stock as done. */
  markReleased(id: string): Promise<void>;
}

interface SettleCommand {
  readonly id: string;
  readonly settlement: Settlement;
}

/** @param now Wall clock, for the times that customers see. */
export function createSettlementStore(pool: Pool, now: () => Date): SettlementStore {
  const settle = createBatcher<SettleCommand, Order>({
    run: (commands) => settleAll(pool, commands, now()),
    maxItems: 128,
    maxQueued: 4096,
  });
  return {
    settle: (id, settlement) => settle({ id, settlement }),
    current: async (id) => (await read(pool, [id])).get(id) as Order,
    takeDue: async ({ limit, leaseMs }) => {
      const { rows } = await pool.query<OrderRow>({
        name: 'take-due-orders',
        // Up to half as long again, so that replicas do not all come back at the same moment.
        text: `UPDATE orders
               SET settle_after = now() + $2 * (1 + random() / 2) * interval '1 ms',
                   settle_attempts = settle_attempts + 1
               WHERE id IN (SELECT id FROM orders WHERE settle_after <= now()
                            ORDER BY settle_after LIMIT $1 FOR UPDATE SKIP LOCKED)
               RETURNING ${orderColumns}`,
        values: [limit, leaseMs],
      });
      return rows.map(fromRow);
    },
    markReleased: async (id) => {
      await pool.query({
        name: 'mark-released',
        text: `UPDATE orders SET settle_after = NULL WHERE id = $1 AND state = 'CANCELLED'`,
        values: [id],
      });
    },
  };
}

/** Settles many orders in one statement, and so in one transaction. */
async function settleAll(pool: Pool, commands: readonly SettleCommand[], now: Date): Promise<Order[]> {
  const { rows } = await pool.query<OrderRow>({
    name: 'settle-orders',
    text: `WITH settled AS (
             UPDATE orders
             SET state = settlement.state, rejection = settlement.rejection,
                 version = version + 1, update_time = $2, settle_after = NULL
             FROM jsonb_to_recordset($1) AS settlement (id uuid, state text, rejection jsonb)
             WHERE orders.id = settlement.id AND orders.state = 'PENDING'
             RETURNING ${orderColumns}
           ), event AS (
             INSERT INTO order_events (order_id, version, state, event_time)
             SELECT id, version, state, $2 FROM settled
           )
           SELECT * FROM settled`,
    values: [JSON.stringify(commands.map(({ id, settlement }) => ({ id, ...settlement }))), now],
  });
  const settled = new Map(rows.map((row) => [row.id, fromRow(row)]));
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
