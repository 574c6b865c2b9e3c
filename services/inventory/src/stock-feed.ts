import { type ChangeFeed, openChangeFeed } from '@acme/postgres/change-feed';
import { eventsPage, type FeedSource } from '@acme/postgres/change-feed-source';
import type { Stock } from './stock.ts';
import { fromRow, type StockRow } from './stock-row.ts';

/** The changes of stock, each as the stock was right after it, by SKU. */
export type StockFeed = ChangeFeed<Stock>;

const source: FeedSource<StockRow & Record<string, unknown>, Stock> = {
  table: 'stock_events',
  select: `SELECT seq, sku, title, on_hand, reserved, version, event_time AS update_time
           FROM ${eventsPage('stock_events')} AS event
           ORDER BY seq`,
  fromRow: (row) => ({ key: row.sku, event: fromRow(row), sizeBytes: 200 + row.title.length }),
};

export interface StockFeedOptions {
  readonly url: string;
  /** Hears of what failed and will be tried again. */
  readonly onError: (error: unknown) => void;
}

export function openStockFeed(options: StockFeedOptions): StockFeed {
  return openChangeFeed({ ...options, applicationName: 'inventory', source });
}
