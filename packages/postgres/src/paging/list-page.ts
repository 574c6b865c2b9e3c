import { rowsWithin } from './rows-within.ts';

/** A page of a listing (AIP-158). */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Whether items come after the last one. */
  readonly hasMore: boolean;
}

/** A row of a statement that selects from `listPage`. */
export interface PageRow {
  readonly found: number;
}

/** Maximum size of a page, as the database measures its rows. A larger row is a page by itself. */
export const maxPageBytes = 256 * 1024;

/**
 * Returns a subquery for the FROM of a list method's statement: the rows of one page. A page ends early when it is full by
 * bytes. Select `found` from it, and make the page of the result with `pageOf`.
 *
 * @param rows A SELECT with an ORDER BY, a LIMIT of one row more than the page may hold, and `size_bytes`, an int.
 * @param order What `rows` is ordered by. No two rows are equal in it.
 */
export function listPage(rows: string, order: string): string {
  return rowsWithin(maxPageBytes, rows, order);
}

/** Returns the page of at most `limit` items that the rows of `listPage` make. */
export function pageOf<Row extends PageRow, Item>(
  rows: readonly Row[],
  limit: number,
  fromRow: (row: Row) => Item,
): Page<Item> {
  const items = rows.slice(0, limit).map(fromRow);
  return { items, hasMore: (rows[0]?.found ?? 0) > items.length };
}
