import {
  type ChangeFeed,
  type ChangeFeedOptions,
  type FeedSource,
  openChangeFeed,
} from '@acme/postgres/feed';
import type { Stock } from './stock.ts';
import { fromRow, type StockRow, stockBytes } from './stock-row.ts';

/** Feed of stock changes by SKU. Each event is the stock right after the change. */
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

export function openStockFeed(
  options: Pick<ChangeFeedOptions<never, Stock>, 'url' | 'directUrl' | 'retentionMs' | 'onError'>,
): StockFeed {
  return openChangeFeed({ ...options, applicationName: 'inventory', source });
}
