import type { Stock } from './stock.ts';

/** Row of the table `stock`. */
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

/** SQL expression for the size of a stock row or event in bytes, an int. It approximates the size of the message. */
export const stockBytes = '100 + octet_length(sku) + octet_length(title)';

/** Returns the stock of a row, without the row's other columns. */
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
 * End of every statement that changes stock. It inserts an event per row of `changed`, with the row's new values.
 *
 *     WITH changed AS (UPDATE stock SET … RETURNING ${stockColumns})
 *     ${insertStockEvents}
 *
 * The rows are locked before an event gets its number, and stay locked until the commit. This keeps the feed in order
 * (ADR 16). The row count of the statement is the number of changed rows.
 */
export const insertStockEvents = `
  INSERT INTO stock_events (sku, title, on_hand, reserved, version, event_time)
  SELECT sku, title, on_hand, reserved, version, update_time FROM changed`;
