import type { Tx } from '@acme/postgres/transaction';

/** Rows read at a time, which bounds the memory of a check. */
const pageSize = 5000;

export type OrderState = 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED';

export interface Line {
  sku: string;
  quantity: number;
}

/** A row of the orders table. */
export interface StoredOrder {
  id: string;
  customerId: string;
  /** Null when the request is forgotten. */
  requestId: string | null;
  state: OrderState;
  isSettled: boolean;
  lines: Line[];
  /** Time of placing, in ms since the epoch. */
  createMs: number;
}

export const orderColumns = `id, customer_id AS "customerId", request_id AS "requestId", state, lines,
  settle_after IS NULL AS "isSettled", extract(epoch FROM create_time)::float8 * 1000 AS "createMs"`;

export async function readOrders(database: Tx, ids: readonly string[]): Promise<Map<string, StoredOrder>> {
  const orders = new Map<string, StoredOrder>();
  const unique = [...new Set(ids)];
  for (let start = 0; start < unique.length; start += pageSize) {
    const { rows } = await database.query<StoredOrder>(
      `SELECT ${orderColumns} FROM orders WHERE id = ANY ($1)`,
      [unique.slice(start, start + pageSize)],
    );
    for (const order of rows) orders.set(order.id, order);
  }
  return orders;
}

/** Returns the states in the events of each order, space-separated, by order id. */
export async function readEvents(database: Tx, orders: readonly StoredOrder[]): Promise<Map<string, string>> {
  const { rows } = await database.query<{ id: string; states: string }>(
    `SELECT order_id AS id, string_agg(state, ' ' ORDER BY version) AS states
     FROM order_events WHERE order_id = ANY ($1) GROUP BY order_id`,
    [orders.map(({ id }) => id)],
  );
  return new Map(rows.map(({ id, states }) => [id, states]));
}

/** Tolerated difference between the clocks of the replicas that write events. */
const clockToleranceMs = 60_000;

/** Returns the time, in ms since the epoch, up to which events may be pruned, or 0 if none are. */
export async function readPrunedMs(database: Tx): Promise<number> {
  const { rows } = await database.query<{ ms: number }>(
    `SELECT extract(epoch FROM coalesce(oldest.event_time, now()))::float8 * 1000 AS ms
     FROM change_feeds
     LEFT JOIN (SELECT event_time FROM order_events ORDER BY seq LIMIT 1) AS oldest ON true
     WHERE name = 'order_events' AND pruned_seq > 0`,
  );
  return rows[0] ? rows[0].ms + clockToleranceMs : 0;
}

/** Ids of orders between two others, both exclusive. Ids sort by the time at which the orders were placed. */
export interface IdRange {
  readonly after: string;
  readonly before: string;
}

export const allIds: IdRange = {
  after: '00000000-0000-0000-0000-000000000000',
  before: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
};

/** Yields the rows of a query in pages, in the order of their ids. */
export async function* readPages<Row extends { id: string }>(
  database: Tx,
  select: string,
  ids: IdRange,
): AsyncGenerator<Row[]> {
  for (let { after } = ids; ; ) {
    const { rows } = await database.query<Row>(
      `SELECT * FROM (${select}) AS page WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3`,
      [after, ids.before, pageSize],
    );
    if (rows.length > 0) yield rows;
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.id ?? after;
  }
}

export function sortedLines(lines: readonly Line[]): string {
  return sortedUnits(Object.fromEntries(lines.map(({ sku, quantity }) => [sku, quantity])));
}

export function sortedUnits(units: Readonly<Record<string, number>>): string {
  return Object.entries(units)
    .map(([sku, quantity]) => `${quantity} ${sku}`)
    .sort()
    .join(', ');
}
