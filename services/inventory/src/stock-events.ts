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
