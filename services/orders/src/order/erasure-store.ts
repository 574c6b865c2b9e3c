import type { Pool } from '@acme/postgres/pool';
import { type Tx, transaction } from '@acme/postgres/transaction';

/** Result of a bounded part of an erasure. */
export interface Erasure {
  /** Number of orders that this call has erased. */
  readonly erasedOrders: number;
  /** Number of the customer's orders that have to be settled first; 1,000 means this many or more. */
  readonly unsettledOrders: number;
  /** Whether nothing of the customer is left. */
  readonly isDone: boolean;
}

export interface ErasureStore {
  /**
   * Removes the customer from up to 1,000 settled orders and from 5,000 events of such orders. The orders keep their id, lines,
   * state, version and times, without a customer and a request. Call it again until it is done.
   */
  eraseSome(customerId: string, signal: AbortSignal): Promise<Erasure>;
}

/** Maximum number of orders of a call. */
const maxOrders = 1_000;
/** Maximum number of events of a call. An order has three at most. */
const maxEvents = 5_000;

export function createErasureStore(pool: Pool): ErasureStore {
  return {
    eraseSome: (customerId, signal) =>
      transaction(
        pool,
        async (tx) => {
          const erasedOrders = await eraseOrders(tx, customerId);
          const erasedEvents = await eraseEvents(tx, customerId);
          const unsettledOrders = erasedOrders < maxOrders ? await countOrders(tx, customerId) : 0;
          const isDone = erasedOrders < maxOrders && erasedEvents < maxEvents && unsettledOrders === 0;
          return { erasedOrders, unsettledOrders, isDone };
        },
        { signal },
      ),
  };
}

/** Skips orders that are not settled: the events of their next changes have a customer. */
async function eraseOrders(tx: Tx, customerId: string): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'erase-orders',
    text: `UPDATE orders SET customer_id = '', request_id = NULL, fingerprint = NULL
           WHERE id = ANY (ARRAY (
             SELECT id FROM orders WHERE customer_id = $1 AND settle_after IS NULL ORDER BY id LIMIT $2 FOR UPDATE
           ))`,
    values: [customerId, maxOrders],
  });
  return rowCount ?? 0;
}

/** Keeps number and time of the events, so resume tokens stay valid. Watches of the customer no longer receive the events. */
async function eraseEvents(tx: Tx, customerId: string): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'erase-order-events',
    text: `UPDATE order_events SET customer = ''
           WHERE seq = ANY (ARRAY (
             SELECT event.seq FROM order_events AS event JOIN orders ON orders.id = event.order_id
             WHERE event.customer = $1 AND orders.customer_id <> $1
             ORDER BY event.seq LIMIT $2
           ))`,
    values: [customerId, maxEvents],
  });
  return rowCount ?? 0;
}

async function countOrders(tx: Tx, customerId: string): Promise<number> {
  const { rows } = await tx.query<{ count: bigint }>({
    name: 'orders-to-erase',
    text: 'SELECT count(*) FROM (SELECT FROM orders WHERE customer_id = $1 LIMIT $2) AS orders',
    values: [customerId, maxOrders],
  });
  return Number(rows[0]?.count ?? 0n);
}
