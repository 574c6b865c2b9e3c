import { createBatcher } from '@acme/postgres/batch/batch';
import { listPage, type Page, type PageRow, pageOf } from '@acme/postgres/paging/list-page';
import type { Pool } from '@acme/postgres/pool/pool';
import { query } from '@acme/postgres/transaction/query';
import { type Tx, transaction } from '@acme/postgres/transaction/transaction';
import {
  needsCancelling,
  type Order,
  OrderError,
  type OrderLine,
  type OrderState,
  pendingOrder,
} from './order.ts';
import type { OnTransition } from './order-metrics.ts';
import { fromRow, listedColumns, type OrderRow, orderBytes, orderColumns } from './order-row.ts';

export interface NewOrder {
  readonly id: string;
  readonly customerId: string;
  readonly requestId: string;
  /** Of the lines, by which a repeat of the request is told from a request_id used twice. */
  readonly fingerprint: Buffer;
  readonly lines: readonly OrderLine[];
}

export interface OrderStore {
  /** T1: makes the order PENDING, or gives the one that this request_id made before. Throws REQUEST_ID_REUSED. */
  place(order: NewOrder): Promise<Order>;
  /** @param owner The customer whose order it must be; undefined for anybody's. */
  get(id: string, owner: string | undefined, signal: AbortSignal): Promise<Order | undefined>;
  /**
   * A page of a customer's orders, newest first, placed before `before` (undefined: from the newest). Rejections are without
   * their items.
   */
  list(
    page: { customerId: string; state: OrderState | undefined; before: string | undefined; limit: number },
    signal: AbortSignal,
  ): Promise<Page<Order>>;
  /**
   * Cancels the order, and owes inventory the release of its stock. One that is cancelled already stays as it is.
   * Throws ORDER_NOT_FOUND, ORDER_REJECTED or ETAG_MISMATCH.
   */
  cancel(id: string, owner: string | undefined, etag: string, signal: AbortSignal): Promise<Order>;
}

export interface OrderStoreOptions {
  /** Connections for reads, so that a flood of them leaves those of `pool` to placing; `pool` itself when absent. */
  readonly readPool?: Pool;
  /** The same for cancels, which may wait for each other's locks. */
  readonly cancelPool?: Pool;
  /** Wall clock, for the times that customers see. What is due when goes by the database's, which replicas share. */
  readonly now: () => Date;
  /** How long the call that places an order has it to itself before the settler looks after it. */
  readonly settleGraceMs: number;
  readonly onTransition?: OnTransition;
}

/** About what a line takes in memory and in a statement. */
const lineBytes = 160;

/** Sorts after every id. */
const beyondAllIds = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export function createOrderStore(pool: Pool, options: OrderStoreOptions): OrderStore {
  const { readPool = pool, cancelPool = pool, now, settleGraceMs, onTransition = () => {} } = options;
  const place = createBatcher<NewOrder, Order | OrderError>({
    name: 'place-orders',
    run: (orders) => placeAll(pool, orders, now(), settleGraceMs),
    maxItems: 128,
    maxQueued: 4096,
    sizeBytes: ({ lines }) => lines.length * lineBytes,
  });
  return {
    place: async (order) => {
      const placed = await place(order);
      if (placed instanceof OrderError) throw placed;
      // Another one is the order that this request made before.
      if (placed.id === order.id) onTransition(placed);
      return placed;
    },
    get: async (id, owner, signal) => {
      const { rows } = await query<OrderRow>(
        readPool,
        {
          name: 'get-order',
          text: `SELECT ${orderColumns} FROM orders WHERE id = $1 AND ($2::text IS NULL OR customer_id = $2)`,
          values: [id, owner],
        },
        signal,
      );
      return rows[0] && fromRow(rows[0]);
    },
    list: async ({ customerId, state, before = beyondAllIds, limit }, signal) => {
      const { rows } = await query<OrderRow & PageRow>(
        readPool,
        {
          name: state ? 'list-orders-in-state' : 'list-orders',
          text: `SELECT ${listedColumns}, found
                 FROM ${listPage(
                   `SELECT *, ${orderBytes} AS size_bytes FROM orders
                    WHERE customer_id = $1 AND id < $2 ${state ? 'AND state = $4' : ''}
                    ORDER BY id DESC LIMIT $3`,
                   'id DESC',
                 )} AS orders
                 ORDER BY id DESC`,
          values: [customerId, before, limit + 1, ...(state ? [state] : [])],
        },
        signal,
      );
      return pageOf(rows, limit, fromRow);
    },
    cancel: async (id, owner, etag, signal) => {
      const { order, isNew } = await transaction(cancelPool, (tx) => cancel(tx, id, owner, etag, now()), {
        signal,
      });
      if (isNew) onTransition(order);
      return order;
    },
  };
}

/** Places many orders in one statement, and so in one transaction: each is made, or was there before. */
async function placeAll(
  pool: Pool,
  orders: readonly NewOrder[],
  now: Date,
  settleGraceMs: number,
): Promise<(Order | OrderError)[]> {
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
  const earlier = await findEarlier(
    pool,
    orders.filter(({ id }) => !placed.has(id)),
  );
  return orders.map((order) => (placed.has(order.id) ? pendingOrder(order, now) : replay(order, earlier)));
}

interface EarlierRow extends OrderRow {
  request_id: string;
  fingerprint: Buffer;
}

/** The orders that stand under the request ids of these, by customer and request id. */
async function findEarlier(pool: Pool, orders: readonly NewOrder[]): Promise<Map<string, EarlierRow>> {
  if (orders.length === 0) return new Map();
  const { rows } = await pool.query<EarlierRow>({
    name: 'find-earlier-orders',
    text: `SELECT ${orderColumns}, orders.request_id, orders.fingerprint
           FROM unnest($1::text[], $2::uuid[]) AS key (customer_id, request_id)
           JOIN orders USING (customer_id, request_id)`,
    values: [orders.map(({ customerId }) => customerId), orders.map(({ requestId }) => requestId)],
  });
  return new Map(rows.map((row) => [requestKey(row.customer_id, row.request_id), row]));
}

function replay(order: NewOrder, earlier: ReadonlyMap<string, EarlierRow>): Order | OrderError {
  const row = earlier.get(requestKey(order.customerId, order.requestId));
  if (!row) throw new Error(`the order of request ${order.requestId} was neither made nor found`);
  return row.fingerprint.equals(order.fingerprint)
    ? fromRow(row)
    : new OrderError({ kind: 'REQUEST_ID_REUSED', requestId: order.requestId, orderId: row.id });
}

function requestKey(customerId: string, requestId: string): string {
  return `${requestId} ${customerId}`;
}

async function cancel(
  tx: Tx,
  id: string,
  owner: string | undefined,
  etag: string,
  now: Date,
): Promise<{ order: Order; isNew: boolean }> {
  const { rows } = await tx.query<OrderRow>({
    name: 'lock-order',
    text: `SELECT ${orderColumns} FROM orders
           WHERE id = $1 AND ($2::text IS NULL OR customer_id = $2) FOR NO KEY UPDATE`,
    values: [id, owner],
  });
  if (!rows[0]) throw new OrderError({ kind: 'ORDER_NOT_FOUND', id });
  const order = fromRow(rows[0]);
  if (!needsCancelling(order, etag)) return { order, isNew: false };
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
  return { order: fromRow(cancelled.rows[0] as OrderRow), isNew: true };
}
