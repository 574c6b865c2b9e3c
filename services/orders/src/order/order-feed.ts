import { type ChangeFeed, openChangeFeed } from '@acme/postgres/feed/change-feed';
import type { FeedSource } from '@acme/postgres/feed/source';
import type { Order } from './order.ts';
import { fromRow, type OrderRow, orderBytes, rejectionReason } from './order-row.ts';

/** The changes of orders, each as the order was right after it, by customer. */
export type OrderFeed = ChangeFeed<Order>;

/** All that an order has but its state, its version and when it changed stays as it was made. */
const source: FeedSource<OrderRow, Order> = {
  table: 'order_events',
  keyColumn: 'customer',
  join: 'JOIN orders ON orders.id = event.order_id',
  sizeBytes: orderBytes,
  columns: `orders.id, orders.customer_id, orders.lines, event.state,
            CASE event.state WHEN 'REJECTED' THEN ${rejectionReason} END AS rejection,
            event.version, orders.create_time, event.event_time AS update_time`,
  // In memory a line takes about twice its text.
  fromRow: (row) => ({ key: row.customer_id, event: fromRow(row), sizeBytes: 2 * row.size_bytes }),
};

export interface OrderFeedOptions {
  readonly url: string;
  /** Hears of what failed and will be tried again. */
  readonly onError: (error: unknown) => void;
}

export function openOrderFeed(options: OrderFeedOptions): OrderFeed {
  return openChangeFeed({ ...options, applicationName: 'orders', source });
}
