import type { Tx } from '@acme/postgres/transaction';
import {
  allIds,
  type IdRange,
  type Line,
  type OrderState,
  orderColumns,
  readEvents,
  readOrders,
  readPages,
  readPrunedMs,
  type StoredOrder,
  sortedLines,
  sortedUnits,
} from './stored-orders.ts';

/** Connections to the databases of both services. */
export interface Databases {
  readonly ordersDatabase: Tx;
  readonly inventoryDatabase: Tx;
}

/** An order as a call returned it to its customer. Later states must be reachable from this one. */
export interface Acknowledgement {
  readonly customerId: string;
  readonly requestId: string;
  readonly orderId: string;
  readonly state: OrderState;
  readonly units: Readonly<Record<string, number>>;
}

/** Returns violations of the invariants that hold at every moment, a line each. Reads one snapshot. */
export async function stockErrors({
  inventoryDatabase,
}: Pick<Databases, 'inventoryDatabase'>): Promise<string[]> {
  const { rows } = await inventoryDatabase.query<{ error: string }>(
    `WITH held AS (
       SELECT line.sku, sum(line.quantity) AS units
       FROM reservations, jsonb_to_recordset(lines) AS line (sku text, quantity bigint)
       WHERE state = 'RESERVED'
       GROUP BY line.sku
     )
     SELECT format('%s: %s on hand, %s reserved', sku, on_hand, reserved) AS error
     FROM stock WHERE reserved < 0 OR reserved > on_hand
     UNION ALL
     SELECT format('%s: %s reserved, %s in live reservations', sku, stock.reserved, held.units)
     FROM stock FULL JOIN held USING (sku)
     WHERE coalesce(stock.reserved, 0) <> coalesce(held.units, 0)`,
  );
  return rows.map(({ error }) => error);
}

/**
 * Returns the orders that are PENDING or have a release outstanding, a line each.
 *
 * @param olderThanMs Skips orders that changed within this time.
 */
export async function unsettledOrders(
  { ordersDatabase }: Pick<Databases, 'ordersDatabase'>,
  { olderThanMs = 0 } = {},
): Promise<string[]> {
  const { rows } = await ordersDatabase.query<{ line: string }>(
    `SELECT format('order %s is %s and not settled', id, state) AS line FROM orders
     WHERE (state = 'PENDING' OR settle_after IS NOT NULL) AND update_time <= now() - $1 * interval '1 ms'`,
    [olderThanMs],
  );
  return rows.map(({ line }) => line);
}

/**
 * Returns violations of the invariants of settled orders, a line each: a CONFIRMED order has one live reservation, with
 * its lines. No other order has a live reservation, and every live reservation has an order. The events of an order are
 * its states, in order, and only the oldest may be pruned. A request id has one order.
 *
 * @param ids The orders and reservations to check.
 */
export async function settledErrors(databases: Databases, ids: IdRange = allIds): Promise<string[]> {
  return [
    ...(await orphanedReservations(databases, ids)),
    ...(await repeatedRequests(databases, ids)),
    ...(await orderErrors(databases, ids)),
  ];
}

/** Returns the acknowledged orders that no longer exist, a line each. */
export async function lostOrders(
  { ordersDatabase }: Databases,
  acknowledged: readonly Acknowledgement[],
): Promise<string[]> {
  const ids = [...new Set(acknowledged.map(({ orderId }) => orderId))];
  const orders = await readOrders(ordersDatabase, ids);
  return ids.filter((id) => !orders.has(id)).map((id) => `order ${id} does not exist`);
}

/** Returns the orders that contradict an acknowledgement, a line each. Orders that do not exist are in `lostOrders`. */
export async function acknowledgementErrors(
  { ordersDatabase }: Databases,
  acknowledged: readonly Acknowledgement[],
): Promise<string[]> {
  const orders = await readOrders(
    ordersDatabase,
    acknowledged.map(({ orderId }) => orderId),
  );
  return acknowledged.flatMap(({ orderId, customerId, requestId, state, units }) => {
    const order = orders.get(orderId);
    const problems = order
      ? [
          order.customerId === customerId && order.requestId === requestId
            ? ''
            : 'belongs to another request',
          reachableStates[state].includes(order.state) ? '' : `was answered ${state} and is ${order.state}`,
          sortedLines(order.lines) === sortedUnits(units) ? '' : `holds ${sortedLines(order.lines)}`,
        ]
      : [];
    return problems.filter(Boolean).map((problem) => `order ${orderId} ${problem}`);
  });
}

/** The states that an order may have after it had the key's state. */
export const reachableStates: Record<OrderState, readonly OrderState[]> = {
  PENDING: ['PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLED'],
  CONFIRMED: ['CONFIRMED', 'CANCELLED'],
  REJECTED: ['REJECTED'],
  CANCELLED: ['CANCELLED'],
};

const allowedEventSequences = [
  'PENDING',
  'PENDING CONFIRMED',
  'PENDING REJECTED',
  'PENDING CANCELLED',
  'PENDING CONFIRMED CANCELLED',
];

/** Reads reservations first, because an order is created before its reservation. */
async function orphanedReservations(
  { ordersDatabase, inventoryDatabase }: Databases,
  ids: IdRange,
): Promise<string[]> {
  const errors: string[] = [];
  for await (const live of readPages<{ id: string }>(
    inventoryDatabase,
    `SELECT id FROM reservations WHERE state = 'RESERVED'`,
    ids,
  )) {
    const orders = await readOrders(
      ordersDatabase,
      live.map(({ id }) => id),
    );
    const orphans = live.filter(({ id }) => !orders.has(id));
    errors.push(...orphans.map(({ id }) => `reservation ${id} is live and has no order`));
  }
  return errors;
}

async function repeatedRequests({ ordersDatabase }: Databases, ids: IdRange): Promise<string[]> {
  const { rows } = await ordersDatabase.query<{ error: string }>(
    `SELECT format('request %s of %s has %s orders', request_id, customer_id, count(*)) AS error FROM orders
     WHERE id > $1 AND id < $2 AND request_id IS NOT NULL GROUP BY customer_id, request_id HAVING count(*) > 1`,
    [ids.after, ids.before],
  );
  return rows.map(({ error }) => error);
}

async function orderErrors(
  { ordersDatabase, inventoryDatabase }: Databases,
  ids: IdRange,
): Promise<string[]> {
  const errors: string[] = [];
  const prunedMs = await readPrunedMs(ordersDatabase);
  const select = `SELECT ${orderColumns} FROM orders`;
  for await (const orders of readPages<StoredOrder>(ordersDatabase, select, ids)) {
    const { rows } = await inventoryDatabase.query<{ id: string; lines: Line[] }>(
      `SELECT id, lines FROM reservations WHERE state = 'RESERVED' AND id = ANY ($1)`,
      [orders.map(({ id }) => id)],
    );
    const live = new Map(rows.map(({ id, lines }) => [id, sortedLines(lines)]));
    const events = await readEvents(ordersDatabase, orders);
    errors.push(
      ...orders.flatMap((order) => errorsOf(order, live.get(order.id), events.get(order.id) ?? '', prunedMs)),
    );
  }
  return errors;
}

function errorsOf(
  { id, state, isSettled, lines, createMs }: StoredOrder,
  held: string | undefined,
  events: string,
  prunedMs: number,
): string[] {
  const expected = state === 'CONFIRMED' ? sortedLines(lines) : undefined;
  return [
    ...(!isSettled || held === expected
      ? []
      : [`order ${id} is ${state} and holds ${held ?? 'nothing'}, not ${expected ?? 'nothing'}`]),
    ...(isAllowedSequence(events, state, createMs <= prunedMs)
      ? []
      : [`order ${id} is ${state} and its events are ${events}`]),
  ];
}

/** @param isPruned Whether the order's oldest events may be missing. */
function isAllowedSequence(events: string, state: OrderState, isPruned: boolean): boolean {
  if (isPruned && events === '') return true;
  const isKnown = isPruned
    ? allowedEventSequences.some((each) => each.endsWith(events))
    : allowedEventSequences.includes(events);
  return isKnown && events.endsWith(state);
}
