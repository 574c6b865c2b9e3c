import { type Page, type PageRow, pageSubquery, toPage } from '@acme/postgres/paging';
import type { Pool } from '@acme/postgres/pool';
import { query } from '@acme/postgres/transaction';
import type { Stock } from './stock.ts';
import { fromRow, type StockRow, stockBytes, stockColumns } from './stock-row.ts';

export interface StockStore {
  get(sku: string, signal: AbortSignal): Promise<Stock | undefined>;
  /** Returns a page of the stock with the SKU prefix, by SKU. It starts after the SKU `after`, or at the first if empty. */
  list(page: { prefix: string; after: string; limit: number }, signal: AbortSignal): Promise<Page<Stock>>;
}

export function createStockStore(pool: Pool): StockStore {
  return {
    get: async (sku, signal) => {
      const { rows } = await query<StockRow>(
        pool,
        {
          name: 'stock-by-sku',
          text: `SELECT ${stockColumns} FROM stock WHERE sku = $1`,
          values: [sku],
        },
        signal,
      );
      return rows[0] && fromRow(rows[0]);
    },
    list: async ({ prefix, after, limit }, signal) => {
      const { rows } = await query<StockRow & PageRow>(
        pool,
        {
          name: 'list-stock',
          // A range of the primary key, also in a generic plan. The upper bound is the prefix with 64 of the greatest
          // character, because a SKU has at most 64 characters.
          text: `SELECT ${stockColumns}, found
                 FROM ${pageSubquery(
                   `SELECT *, ${stockBytes} AS size_bytes FROM stock
                    WHERE sku > $2 AND sku >= $1 AND sku <= $1 || repeat(chr(1114111), 64)
                    ORDER BY sku LIMIT $3`,
                   'sku',
                 )} AS stock
                 ORDER BY sku`,
          values: [prefix, after, limit + 1],
        },
        signal,
      );
      return toPage(rows, limit, fromRow);
    },
  };
}
