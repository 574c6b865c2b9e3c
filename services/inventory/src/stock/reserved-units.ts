import type { Tx } from '@acme/postgres/transaction';
import type { StockLine } from './stock.ts';
import { insertStockEvents, stockColumns } from './stock-row.ts';

/** Locks the stock of all lines, by SKU, and returns the available units of each known SKU. */
export async function lockAvailable(
  tx: Tx,
  orders: readonly { readonly lines: readonly StockLine[] }[],
): Promise<Map<string, bigint>> {
  const skus = new Set(orders.flatMap(({ lines }) => lines.map(({ sku }) => sku)));
  const { rows } = await tx.query<{ sku: string; available: bigint }>({
    name: 'lock-stock',
    text: `SELECT sku, on_hand - reserved AS available FROM stock WHERE sku = ANY ($1) ORDER BY sku FOR NO KEY UPDATE`,
    values: [[...skus]],
  });
  return new Map(rows.map(({ sku, available }) => [sku, available]));
}

/** Adds to the reserved units of each SKU. The transaction has locked their rows. */
export async function changeReserved(tx: Tx, bySku: ReadonlyMap<string, number>, now: Date): Promise<void> {
  if (bySku.size === 0) return;
  await tx.query({
    name: 'change-reserved',
    text: `WITH changed AS (
             UPDATE stock SET reserved = reserved + change.quantity, version = version + 1, update_time = $3
             FROM unnest($1::text[], $2::bigint[]) AS change (sku, quantity)
             WHERE stock.sku = change.sku
             RETURNING ${stockColumns}
           )
           ${insertStockEvents}`,
    values: [[...bySku.keys()], [...bySku.values()], now],
  });
}
