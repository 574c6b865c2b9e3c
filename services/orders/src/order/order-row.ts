import type { Order, OrderLine, OrderState, Rejection } from './order.ts';

/** Row of the table `orders`. */
export interface OrderRow {
  id: string;
  customer_id: string;
  lines: OrderLine[];
  state: OrderState;
  rejection: Rejection | null;
  version: bigint;
  create_time: Date;
  update_time: Date;
}

export const orderColumns =
  'orders.id, orders.customer_id, orders.lines, orders.state, orders.rejection, orders.version, orders.create_time, orders.update_time';

/** SQL expression for the size of an order in bytes, an int. It approximates the size of the order's message. */
export const orderBytes = '200 + coalesce(orders.lines_bytes, octet_length(orders.lines::text))';

/** SQL expression for a rejection without its items. Lists and feeds return only the reason. */
export const rejectionReason = `orders.rejection || '{"items": []}'`;

/** Columns of an order in a list. */
export const listedColumns = orderColumns.replace('orders.rejection', `${rejectionReason} AS rejection`);

/** Returns the order of a row, without the row's other columns. */
export function fromRow(row: OrderRow): Order {
  return {
    id: row.id,
    customerId: row.customer_id,
    lines: row.lines,
    state: row.state,
    rejection: row.rejection ?? undefined,
    version: row.version,
    createTime: row.create_time,
    updateTime: row.update_time,
  };
}
