import { createBatcher } from '@acme/postgres/batch';
import type { Pool } from '@acme/postgres/pool';
import {
  type Creation,
  type CreationTable,
  createAllOnce,
  type RequestTable,
} from '@acme/postgres/transaction';
import { annotateSpan } from '@acme/rpc/telemetry';
import { type Order, OrderError, type OrderLine, pendingOrder } from './order.ts';
import type { OnTransition } from './order-metrics.ts';
import { fromRow, type OrderRow, orderColumns } from './order-row.ts';

export interface NewOrder extends Creation {
  readonly customerId: string;
  readonly lines: readonly OrderLine[];
}

export interface PlacementStore {
  /**
   * Inserts the order as PENDING (T1 in ARCHITECTURE.md), or returns the earlier order with this request_id. Throws
   * REQUEST_ID_REUSED.
   */
  place(order: NewOrder): Promise<Order>;
}

export interface PlacementStoreOptions {
  /** Wall clock for the times that customers see. Leases and due times use the database's clock, which replicas share. */
  readonly now: () => Date;
  /** Time after which the settler takes over an order that its PlaceOrder call has not settled. */
  readonly settleGraceMs: number;
  readonly onTransition?: OnTransition;
}

const placedOrders: CreationTable<NewOrder, OrderRow, Order> = {
  table: 'orders',
  ownerColumn: 'customer_id',
  ownerOf: ({ customerId }) => customerId,
  columns: orderColumns,
  fromRow,
  reused: ({ requestId }, orderId) => new OrderError({ kind: 'REQUEST_ID_REUSED', requestId, orderId }),
};

/** Requests of orders. An order that is not settled keeps its request. */
export const orderRequests: RequestTable = { table: 'orders', keepWhile: 'settle_after IS NOT NULL' };

/** Estimated size of a line in memory and in a statement. */
const lineBytes = 160;

export function createPlacementStore(pool: Pool, options: PlacementStoreOptions): PlacementStore {
  const { now, settleGraceMs, onTransition = () => {} } = options;
  const place = createBatcher<NewOrder, Order>({
    name: 'place-orders',
    run: (orders) => placeAll(pool, orders, now(), settleGraceMs),
    maxItems: 128,
    maxQueued: 4096,
    sizeOf: ({ lines }) => lines.length * lineBytes,
  });
  return {
    place: async (order) => {
      const placed = await place(order);
      // At once: a call that is cancelled from here on has placed its order, and its trace must be found by the id.
      annotateSpan({ 'order.id': placed.id });
      // Another id is that of an earlier order, whose transition was reported then.
      if (placed.id === order.id) onTransition(placed);
      return placed;
    },
  };
}

/** Inserts many orders in one statement, and so in one transaction. Returns the new or earlier order of each. */
function placeAll(
  pool: Pool,
  orders: readonly NewOrder[],
  now: Date,
  settleGraceMs: number,
): Promise<(Order | Error)[]> {
  return createAllOnce(pool, placedOrders, orders, async () => {
    const { rows } = await pool.query<{ id: string }>({
      name: 'place-orders',
      text: `WITH placed AS (
               INSERT INTO orders (id, customer_id, request_id, fingerprint, lines, state,
                                   lines_bytes, create_time, update_time, settle_after)
               SELECT id, "customerId", "requestId", decode(fingerprint, 'hex'), lines, 'PENDING',
                      octet_length(lines::text), $2, $2, now() + $3 * interval '1 ms'
               FROM jsonb_to_recordset($1)
                 AS new (id uuid, "customerId" text, "requestId" uuid, fingerprint text, lines jsonb)
               ORDER BY "customerId", "requestId"
               ON CONFLICT ON CONSTRAINT orders_request_once DO NOTHING
               RETURNING id, customer_id, version, state
             ), event AS (
               INSERT INTO order_events (order_id, customer, version, state, event_time)
               SELECT id, customer_id, version, state, $2 FROM placed
             )
             SELECT id FROM placed`,
      values: [
        JSON.stringify(orders.map((order) => ({ ...order, fingerprint: order.fingerprint.toString('hex') }))),
        now,
        settleGraceMs,
      ],
    });
    const placed = new Set(rows.map((row) => row.id));
    return new Map(
      orders.filter(({ id }) => placed.has(id)).map((order) => [order.id, pendingOrder(order, now)]),
    );
  });
}
