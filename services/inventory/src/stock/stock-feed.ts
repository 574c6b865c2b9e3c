import { type ChangeFeed, openChangeFeed } from '@acme/postgres/feed/change-feed';
import type { FeedSource } from '@acme/postgres/feed/source';
import type { Stock } from './stock.ts';
import { fromRow, type StockRow, stockBytes } from './stock-row.ts';

/** The changes of stock, each as the stock was right after it, by SKU. */
export type StockFeed = ChangeFeed<Stock>;

const source: FeedSource<StockRow & Record<string, unknown>, Stock> = {
  table: 'stock_events',
  keyColumn: 'sku',
  join: '',
  sizeBytes: stockBytes,
  columns:
    'event.sku, event.title, event.on_hand, event.reserved, event.version, event.event_time AS update_time',
  fromRow: (row) => ({ key: row.sku, event: fromRow(row), sizeBytes: 2 * row.size_bytes }),
};

export interface StockFeedOptions {
  readonly url: string;
  /** Hears of what failed and will be tried again. */
  readonly onError: (error: unknown) => void;
}

export function openStockFeed(options: StockFeedOptions): StockFeed {
  return openChangeFeed({ ...options, applicationName: 'inventory', source });
}
