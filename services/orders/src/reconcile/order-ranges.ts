import { type PageRow, pageSubquery, toPage } from '@acme/postgres/paging';
import type { Pool } from '@acme/postgres/pool';
import { fromRow, listedColumns, type OrderRow, orderBytes } from '../order/order-row.ts';
import type { ComparedOrder } from './disagreement.ts';
import type { ComparedDatabases } from './find-disagreements.ts';

const maxOrders = 1000;

/** Returns the orders of a range of ids, at most 1,000 and about 256 KiB at a time. */
export function createOrderRanges(pool: Pool): ComparedDatabases['orders'] {
  return async ({ after, until }) => {
    const { rows } = await pool.query<OrderRow & PageRow & { is_settled: boolean }>({
      name: 'orders-in-range',
      text: `SELECT ${listedColumns}, settle_after IS NULL AS is_settled, found
             FROM ${pageSubquery(
               `SELECT *, ${orderBytes} AS size_bytes FROM orders
                WHERE id > $1 AND id <= $2
                ORDER BY id LIMIT $3`,
               'id',
             )} AS orders
             ORDER BY id`,
      values: [after, until, maxOrders + 1],
    });
    return toPage(rows, maxOrders, (row): ComparedOrder => ({ ...fromRow(row), isSettled: row.is_settled }));
  };
}
