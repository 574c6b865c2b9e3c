import {
  type ChangeFeed,
  type ChangeFeedOptions,
  type FeedSource,
  openChangeFeed,
} from '@acme/postgres/feed';
import type { Order } from './order.ts';
import { fromRow, type OrderRow, orderBytes, rejectionReason } from './order-row.ts';

/** Feed of order changes by customer. Each event is the order right after the change. */
export type OrderFeed = ChangeFeed<Order>;

/** Events store the columns that change. The others are joined from the order; a rejection is set once and is final. */
const source: FeedSource<OrderRow, Order> = {
  table: 'order_events',
  keyColumn: 'customer',
  join: 'JOIN orders ON orders.id = event.order_id',
  sizeBytes: orderBytes,
  columns: `orders.id, orders.customer_id, orders.lines, event.state,
            CASE event.state WHEN 'REJECTED' THEN ${rejectionReason} END AS rejection,
            event.version, orders.create_time, event.event_time AS update_time`,
  // Lines take about twice the size of their text in memory.
  fromRow: (row) => ({ key: row.customer_id, event: fromRow(row), sizeBytes: 2 * row.size_bytes }),
};

export function openOrderFeed(
  options: Pick<ChangeFeedOptions<never, Order>, 'url' | 'directUrl' | 'retentionMs' | 'onError'>,
): OrderFeed {
  return openChangeFeed({ ...options, applicationName: 'orders', source });
}
