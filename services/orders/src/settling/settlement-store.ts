import { createBatcher } from '@acme/postgres/batch';
import { createLeases, type Leases, type WorkTable } from '@acme/postgres/leased-work';
import type { Pool } from '@acme/postgres/pool';
import { type Order, OrderError, type Settlement } from '../order/order.ts';
import type { OnTransition } from '../order/order-metrics.ts';
import { fromRow, type OrderRow, orderColumns } from '../order/order-row.ts';

/** Settles orders. Leases PENDING orders, and orders whose steps have to be undone. */
export interface SettlementStore extends Leases<Order> {
  /**
   * Settles the order if it is still PENDING (T3 in ARCHITECTURE.md). Returns the order as it is then.
   *
   * @throws OrderError ORDER_LOST
   */
  settle(id: string, settlement: Settlement): Promise<Order>;
  /** Records that the steps of a cancelled or rejected order are undone. */
  markUndone(id: string): Promise<void>;
}

interface SettleCommand {
  readonly id: string;
  readonly settlement: Settlement;
}

/** A PENDING order is due until it is settled, a CANCELLED or REJECTED one until its steps are undone. */
const unsettledOrders: WorkTable<OrderRow, Order> = {
  table: 'orders',
  dueColumn: 'settle_after',
  attemptsColumn: 'settle_attempts',
  columns: orderColumns,
  fromRow,
};

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
    ...createLeases(pool, unsettledOrders),
    settle: (id, settlement) => settle({ id, settlement }),
    markUndone: async (id) => {
      await pool.query({
        name: 'mark-undone',
        text: `UPDATE orders SET settle_after = NULL WHERE id = $1 AND state IN ('CANCELLED', 'REJECTED')`,
        values: [id],
      });
    },
  };
}

/** Settles many orders in one statement, and so in one transaction. */
async function settleAll(
  pool: Pool,
  commands: readonly SettleCommand[],
  now: Date,
  onTransition: OnTransition,
): Promise<(Order | Error)[]> {
  const { rows } = await pool.query<OrderRow>({
    name: 'settle-orders',
    text: `WITH settled AS (
             UPDATE orders
             SET state = settlement.state, rejection = settlement.rejection,
                 version = version + 1, update_time = $2,
                 settle_after = CASE WHEN settlement."needsUndo" THEN now() END
             FROM jsonb_to_recordset($1)
               AS settlement (id uuid, state text, rejection jsonb, "needsUndo" boolean)
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
  return commands.map(
    ({ id }) => settled.get(id) ?? others.get(id) ?? new OrderError({ kind: 'ORDER_LOST', id }),
  );
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
