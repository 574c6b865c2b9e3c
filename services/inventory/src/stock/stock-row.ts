import type { Stock } from './stock.ts';

/** Stock as the table holds it. */
export interface StockRow {
  sku: string;
  title: string;
  on_hand: bigint;
  reserved: bigint;
  version: bigint;
  update_time: Date;
}

export const stockColumns =
  'stock.sku, stock.title, stock.on_hand, stock.reserved, stock.version, stock.update_time';

/** Size of a stock row, or of an event of one, in bytes: an SQL expression, an int. About that of its message. */
export const stockBytes = '100 + octet_length(sku) + octet_length(title)';

/** The stock, and nothing else of what the row may have beside it. */
export function fromRow(row: StockRow): Stock {
  return {
    sku: row.sku,
    title: row.title,
    onHand: row.on_hand,
    reserved: row.reserved,
    version: row.version,
    updateTime: row.update_time,
  };
}

/**
 * Ends every statement that changes stock, and writes its events: one a row that `changed`, as the row is then.
 *
 *     WITH changed AS (UPDATE stock SET … RETURNING ${stockColumns})
 *     ${insertStockEvents}
 *
 * The rows are locked before an event takes its number, and stay so until the commit: that is what keeps the feed in
 * order (ADR 16). The statement counts as many rows as have changed.
 */
export const insertStockEvents = `
  INSERT INTO stock_events (sku, title, on_hand, reserved, version, event_time)
  SELECT sku, title, on_hand, reserved, version, update_time FROM changed`;
