import type { Tx } from '@acme/postgres/transaction';
import { linesOf } from './order-lines.ts';

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
  readonly state: 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED';
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

/** Orders that somebody still has to do something about. */
export async function unsettledOrders({ ordersDatabase }: Pick<Books, 'ordersDatabase'>): Promise<string[]> {
  const { rows } = await ordersDatabase.query<{ line: string }>(
    `SELECT format('order %s is %s and not settled', id, state) AS line FROM orders
     WHERE state = 'PENDING' OR settle_after IS NOT NULL`,
  );
  return rows.map(({ line }) => line);
}

/**
 * What holds once everything is settled, a line for each thing that does not: a CONFIRMED order has one live
 * reservation, with its lines; no other order has a live one, and no live one is without its order; each order's
 * events tell its states in order.
 */
export async function settledErrors(books: Books): Promise<string[]> {
  const orders = await readOrders(books.ordersDatabase);
  const { rows } = await books.inventoryDatabase.query<{ id: string; lines: Line[] }>(
    `SELECT id, lines FROM reservations WHERE state = 'RESERVED'`,
  );
  const live = new Map(rows.map(({ id, lines }) => [id, sortedLines(lines)]));
  const errors = orders.flatMap(({ id, state, lines, events }) => {
    const held = live.get(id);
    const wanted = state === 'CONFIRMED' ? sortedLines(lines) : undefined;
    return [
      ...(held === wanted ? [] : [`order ${id} is ${state} and holds ${held}, not ${wanted}`]),
      ...(possibleLives.has(events) && events.endsWith(state)
        ? []
        : [`order ${id} is ${state} and its events say ${events}`]),
    ];
  });
  const known = new Set(orders.map(({ id }) => id));
  const orphans = [...live.keys()].filter((id) => !known.has(id));
  return [...errors, ...orphans.map((id) => `reservation ${id} is live and has no order`)];
}

/** What the answers promised and the database does not keep, a line each. */
export async function brokenPromises(
  { ordersDatabase }: Books,
  answers: readonly Answer[],
): Promise<string[]> {
  const orders = new Map((await readOrders(ordersDatabase)).map((order) => [order.id, order]));
  return answers.flatMap(({ orderId, customerId, requestId, state, units }) => {
    const order = orders.get(orderId);
    const problems = order
      ? [
          order.customerId === customerId && order.requestId === requestId ? '' : 'is of another request',
          mayBecome[state].includes(order.state) ? '' : `was answered ${state} and is ${order.state}`,
          sortedLines(order.lines) === sortedLines(linesOf(units)) ? '' : `holds ${sortedLines(order.lines)}`,
        ]
      : ['does not exist'];
    return problems.filter(Boolean).map((problem) => `order ${orderId} ${problem}`);
  });
}

interface Line {
  sku: string;
  quantity: number;
}

interface BookedOrder {
  id: string;
  customerId: string;
  requestId: string;
  state: Answer['state'];
  lines: Line[];
  events: string;
}

/** States only move forward. */
const mayBecome: Record<Answer['state'], readonly Answer['state'][]> = {
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

async function readOrders(database: Tx): Promise<BookedOrder[]> {
  const { rows } = await database.query<BookedOrder>(
    `SELECT id, customer_id AS "customerId", request_id AS "requestId", state, lines,
            (SELECT string_agg(event.state, ' ' ORDER BY event.version)
             FROM order_events AS event WHERE event.order_id = orders.id) AS events
     FROM orders`,
  );
  return rows;
}

function sortedLines(lines: readonly Line[]): string {
  return lines
    .map(({ sku, quantity }) => `${quantity} ${sku}`)
    .sort()
    .join(', ');
}
