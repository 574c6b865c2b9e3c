/** A page of a listing (AIP-158) or of a feed. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Whether items follow the last one. */
  readonly hasMore: boolean;
}

/** A row of `pageSubquery`. */
export interface PageRow {
  /** Number of rows that the page was cut from. */
  readonly found: number;
}

/** Maximum size of a list method's page in bytes, as the database measures its rows. A larger row is a page by itself. */
export const maxPageBytes = 256 * 1024;

/**
 * Returns a subquery for a FROM: the first of `rows` that fit in `maxBytes` together, and at least one. The database
 * measures the rows, so a page of large rows is never read into this process. Select `found` from it, and make the page of
 * the result with `toPage`.
 *
 * @param rows A SELECT with an ORDER BY, a LIMIT of one row more than the page may hold, and a column `size_bytes`, an int
 * above 0.
 * @param order The ORDER BY of `rows`. No two rows are equal in it.
 */
export function pageSubquery(rows: string, order: string, maxBytes = maxPageBytes): string {
  return `(SELECT * FROM (
             SELECT *, sum(size_bytes) OVER (ORDER BY ${order}) AS end_bytes, (count(*) OVER ())::int AS found
             FROM (${rows}) AS candidate
           ) AS measured
           WHERE end_bytes <= ${maxBytes} OR end_bytes = size_bytes)`;
}

/** Returns the page that the rows of `pageSubquery` make. It holds at most `limit` items. */
export function toPage<Row extends PageRow, Item>(
  rows: readonly Row[],
  limit: number,
  fromRow: (row: Row) => Item,
): Page<Item> {
  const items = rows.slice(0, limit).map(fromRow);
  return { items, hasMore: (rows[0]?.found ?? 0) > items.length };
}
