import type { Pool } from '@acme/postgres/pool';
import { type Tx, transaction } from '@acme/postgres/transaction';
import { needsCancelling, type Order, OrderError } from './order.ts';
import type { OnTransition } from './order-metrics.ts';
import { fromRow, type OrderRow, orderColumns } from './order-row.ts';

export interface CancellationStore {
  /**
   * Cancels the order and schedules the release of its stock. Returns an order that is already cancelled unchanged.
   * Throws ORDER_NOT_FOUND, ORDER_REJECTED or ETAG_MISMATCH.
   */
  cancel(id: string, owner: string | undefined, etag: string, signal: AbortSignal): Promise<Order>;
}

/** @param now Wall clock for the times that customers see. */
export function createCancellationStore(
  pool: Pool,
  now: () => Date,
  onTransition: OnTransition = () => {},
): CancellationStore {
  return {
    cancel: async (id, owner, etag, signal) => {
      const { order, isChanged } = await transaction(pool, (tx) => cancel(tx, id, owner, etag, now()), {
        signal,
      });
      if (isChanged) onTransition(order);
      return order;
    },
  };
}

async function cancel(
  tx: Tx,
  id: string,
  owner: string | undefined,
  etag: string,
  now: Date,
): Promise<{ order: Order; isChanged: boolean }> {
  const { rows } = await tx.query<OrderRow>({
    name: 'lock-order',
    text: `SELECT ${orderColumns} FROM orders
           WHERE id = $1 AND ($2::text IS NULL OR customer_id = $2) FOR NO KEY UPDATE`,
    values: [id, owner],
  });
  if (!rows[0]) throw new OrderError({ kind: 'ORDER_NOT_FOUND', id });
  const order = fromRow(rows[0]);
  if (!needsCancelling(order, etag)) return { order, isChanged: false };
  const cancelled = await tx.query<OrderRow>({
    name: 'cancel-order',
    text: `WITH cancelled AS (
             UPDATE orders
             SET state = 'CANCELLED', version = version + 1, update_time = $2, settle_after = now(), settle_attempts = 0
             WHERE id = $1
             RETURNING ${orderColumns}
           ), event AS (
             INSERT INTO order_events (order_id, customer, version, state, event_time)
             SELECT id, customer_id, version, state, $2 FROM cancelled
           )
           SELECT * FROM cancelled`,
    values: [id, now],
  });
  return { order: fromRow(cancelled.rows[0] as OrderRow), isChanged: true };
}
