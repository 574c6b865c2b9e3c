import type { Tx } from '@acme/postgres/transaction/transaction';
import {
  type BookedOrder,
  type Line,
  type OrderState,
  orderColumns,
  pagesOf,
  readEvents,
  readOrders,
  sortedLines,
  sortedUnits,
} from './recorded-orders.ts';

/** Where the books are kept. */
export interface Books {
  readonly ordersDatabase: Tx;
  readonly inventoryDatabase: Tx;
}

/** An answer that a customer got, and what it must still mean. */
export interface Answer {
  readonly customerId: string;
  readonly requestId: string;
  readonly orderId: string;
  readonly state: OrderState;
  readonly units: Readonly<Record<string, number>>;
}

/** What holds at every moment, a line for each thing that does not. It reads one snapshot. */
export async function stockErrors({
  inventoryDatabase,
}: Pick<Books, 'inventoryDatabase'>): Promise<string[]> {
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

/** Orders that somebody still has to do something about. @param olderThanMs Only those that have not changed for so long. */
export async function unsettledOrders(
  { ordersDatabase }: Pick<Books, 'ordersDatabase'>,
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
 * What holds of everything that is settled, a line for each thing that does not: a CONFIRMED order has one live
 * reservation, with its lines; no other order has a live one, and no live one is without its order; each order's
 * events tell its states in order; a request has one order.
 */
export async function settledErrors(books: Books): Promise<string[]> {
  return [
    ...(await orphanedReservations(books)),
    ...(await repeatedRequests(books)),
    ...(await orderErrors(books)),
  ];
}

/** Acknowledged orders that do not exist any more, a line each. */
export async function lostOrders({ ordersDatabase }: Books, answers: readonly Answer[]): Promise<string[]> {
  const ids = [...new Set(answers.map(({ orderId }) => orderId))];
  const orders = await readOrders(ordersDatabase, ids);
  return ids.filter((id) => !orders.has(id)).map((id) => `order ${id} does not exist`);
}

/** What the answers promised and the orders do not keep, a line each. Those that do not exist are `lostOrders`. */
export async function brokenPromises(
  { ordersDatabase }: Books,
  answers: readonly Answer[],
): Promise<string[]> {
  const orders = await readOrders(
    ordersDatabase,
    answers.map(({ orderId }) => orderId),
  );
  return answers.flatMap(({ orderId, customerId, requestId, state, units }) => {
    const order = orders.get(orderId);
    const problems = order
      ? [
          order.customerId === customerId && order.requestId === requestId ? '' : 'is of another request',
          mayBecome[state].includes(order.state) ? '' : `was answered ${state} and is ${order.state}`,
          sortedLines(order.lines) === sortedUnits(units) ? '' : `holds ${sortedLines(order.lines)}`,
        ]
      : [];
    return problems.filter(Boolean).map((problem) => `order ${orderId} ${problem}`);
  });
}

/** States only move forward. */
export const mayBecome: Record<OrderState, readonly OrderState[]> = {
  PENDING: ['PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLED'],
  CONFIRMED: ['CONFIRMED', 'CANCELLED'],
  REJECTED: ['REJECTED'],
  CANCELLED: ['CANCELLED'],
};

const possibleLives = new Set([
  'PENDING',
  'PENDING CONFIRMED',
  'PENDING REJECTED',
  'PENDING CANCELLED',
  'PENDING CONFIRMED CANCELLED',
]);

/** Reservations are read first: the order of one was there before it. */
async function orphanedReservations({ ordersDatabase, inventoryDatabase }: Books): Promise<string[]> {
  const errors: string[] = [];
  for await (const live of pagesOf<{ id: string }>(
    inventoryDatabase,
    `SELECT id FROM reservations WHERE state = 'RESERVED'`,
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

async function repeatedRequests({ ordersDatabase }: Books): Promise<string[]> {
  const { rows } = await ordersDatabase.query<{ error: string }>(
    `SELECT format('request %s of %s has %s orders', request_id, customer_id, count(*)) AS error FROM orders
     GROUP BY customer_id, request_id HAVING count(*) > 1`,
  );
  return rows.map(({ error }) => error);
}

async function orderErrors({ ordersDatabase, inventoryDatabase }: Books): Promise<string[]> {
  const errors: string[] = [];
  for await (const orders of pagesOf<BookedOrder>(ordersDatabase, `SELECT ${orderColumns} FROM orders`)) {
    const { rows } = await inventoryDatabase.query<{ id: string; lines: Line[] }>(
      `SELECT id, lines FROM reservations WHERE state = 'RESERVED' AND id = ANY ($1)`,
      [orders.map(({ id }) => id)],
    );
    const live = new Map(rows.map(({ id, lines }) => [id, sortedLines(lines)]));
    const events = await readEvents(ordersDatabase, orders);
    errors.push(
      ...orders.flatMap((order) => errorsOf(order, live.get(order.id), events.get(order.id) ?? '')),
    );
  }
  return errors;
}

function errorsOf(
  { id, state, isSettled, lines }: BookedOrder,
  held: string | undefined,
  events: string,
): string[] {
  const wanted = state === 'CONFIRMED' ? sortedLines(lines) : undefined;
  return [
    ...(!isSettled || held === wanted
      ? []
      : [`order ${id} is ${state} and holds ${held ?? 'nothing'}, not ${wanted ?? 'nothing'}`]),
    ...(possibleLives.has(events) && events.endsWith(state)
      ? []
      : [`order ${id} is ${state} and its events say ${events}`]),
  ];
}
