import type { Order, OrderLine, OrderState, Rejection } from './order.ts';

/** An order as the table holds it. */
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

/** Size of an order in bytes, about that of its message: an SQL expression, an int. */
export const orderBytes = '200 + coalesce(orders.lines_bytes, octet_length(orders.lines::text))';

/** Why an order was rejected, without the items: an SQL expression. Lists and feeds send the reason only. */
export const rejectionReason = `orders.rejection || '{"items": []}'`;

/** The columns of an order in a list. */
export const listedColumns = orderColumns.replace('orders.rejection', `${rejectionReason} AS rejection`);

/** The order, and nothing else of what the row may have beside it. */
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
