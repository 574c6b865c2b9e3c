import { type Page, type PageRow, pageSubquery, toPage } from '@acme/postgres/paging';
import type { Pool } from '@acme/postgres/pool';
import { query } from '@acme/postgres/transaction';
import type { Order, OrderState } from './order.ts';
import { fromRow, listedColumns, type OrderRow, orderBytes, orderColumns } from './order-row.ts';

export interface OrderStore {
  /** @param owner Customer that the order must belong to, or undefined for any. */
  get(id: string, owner: string | undefined, signal: AbortSignal): Promise<Order | undefined>;
  /**
   * Returns a page of a customer's orders, newest first. It starts after the order with the id `before`, or at the newest.
   * Rejections have no items.
   */
  list(
    page: { customerId: string; state: OrderState | undefined; before: string | undefined; limit: number },
    signal: AbortSignal,
  ): Promise<Page<Order>>;
}

/** Greatest UUID: sorts after every id. */
const maxId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export function createOrderStore(pool: Pool): OrderStore {
  return {
    get: async (id, owner, signal) => {
      const { rows } = await query<OrderRow>(
        pool,
        {
          name: 'get-order',
          text: `SELECT ${orderColumns} FROM orders WHERE id = $1 AND ($2::text IS NULL OR customer_id = $2)`,
          values: [id, owner],
        },
        signal,
      );
      return rows[0] && fromRow(rows[0]);
    },
    list: async ({ customerId, state, before = maxId, limit }, signal) => {
      const { rows } = await query<OrderRow & PageRow>(
        pool,
        {
          name: state ? 'list-orders-in-state' : 'list-orders',
          text: `SELECT ${listedColumns}, found
                 FROM ${pageSubquery(
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
      return toPage(rows, limit, fromRow);
    },
  };
}
