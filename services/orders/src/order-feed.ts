import { type ChangeFeed, openChangeFeed } from '@acme/postgres/change-feed';
import { eventsPage, type FeedSource } from '@acme/postgres/change-feed-source';
import type { Order } from './order.ts';
import { fromRow, type OrderRow } from './order-row.ts';

/** The changes of orders, each as the order was right after it, by customer. */
export type OrderFeed = ChangeFeed<Order>;

/** All that an order has but its state, its version and when it changed stays as it was made. */
const source: FeedSource<OrderRow, Order> = {
  table: 'order_events',
  select: `SELECT event.seq, orders.id, orders.customer_id, orders.lines, event.state,
                  CASE event.state WHEN 'REJECTED' THEN orders.rejection END AS rejection,
                  event.version, orders.create_time, event.event_time AS update_time
           FROM ${eventsPage('order_events')} AS event JOIN orders ON orders.id = event.order_id
           ORDER BY event.seq`,
  fromRow: (row) => ({ key: row.customer_id, event: fromRow(row), sizeBytes: 200 + row.lines.length * 32 }),
};

export interface OrderFeedOptions {
  readonly url: string;
  /** Hears of what failed and will be tried again. */
  readonly onError: (error: unknown) => void;
}

export function openOrderFeed(options: OrderFeedOptions): OrderFeed {
  return openChangeFeed({ ...options, applicationName: 'orders', source });
}
