import { type Filling, fillOrders } from './fill-orders.ts';
import { fillTable } from './fill-table.ts';

/** Settled orders, with two events and a reservation each. */
export interface History extends Filling {
  readonly ageDays: number;
  /** State of the reservations. */
  readonly reservationState: 'RESERVED' | 'RELEASED';
}

/** Number of rows of a history for each order. */
export const rowsPerOrder = 4;

/** Inserts a history into the databases of orders and inventory. Returns the ids of up to 2,000 orders of the customer. */
export async function fillHistory(
  urls: Readonly<Record<'orders' | 'inventory', string>>,
  history: History,
): Promise<string[]> {
  const ids = await fillOrders(urls.orders, history);
  await fillEvents(urls.orders, history);
  await fillReservations(urls.inventory, history);
  return ids;
}

function fillEvents(databaseUrl: string, { orderCount, ageDays }: History): Promise<void> {
  return fillTable(databaseUrl, {
    table: 'order_events',
    rows: 2 * orderCount,
    ageDays,
    indexes: {
      drop: ['DROP INDEX order_events_by_customer'],
      create: [
        'CREATE INDEX order_events_by_customer ON order_events (customer, seq) WHERE customer IS NOT NULL',
      ],
    },
    columns: 'order_id, customer, version, state, event_time',
    select: `uuidv7(age), 'customer-' || n % 1000, 2, 'CONFIRMED', now() + age`,
  });
}

function fillReservations(
  databaseUrl: string,
  { orderCount, ageDays, reservationState }: History,
): Promise<void> {
  return fillTable(databaseUrl, {
    table: 'reservations',
    rows: orderCount,
    ageDays,
    indexes: {
      drop: ['DROP INDEX reservations_ended'],
      create: [`CREATE INDEX reservations_ended ON reservations (update_time) WHERE state <> 'RESERVED'`],
    },
    columns: 'id, state, lines, create_time, update_time',
    select: `uuidv7(age), '${reservationState}', '[{"sku": "BENCH", "quantity": 1}]', now() + age, now() + age`,
  });
}
