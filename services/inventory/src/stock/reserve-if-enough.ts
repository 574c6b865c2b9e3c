import { isConflict, violatesConstraint } from '@acme/postgres/errors';
import type { Pool } from '@acme/postgres/pool';
import { query } from '@acme/postgres/transaction';
import { type Reservation, unitsBySku } from './stock.ts';
import { insertStockEvents, stockColumns } from './stock-row.ts';

/**
 * Reserves for the commands with new ids, all of them or none, in one statement and so in one transaction. Returns the ids
 * that it has reserved for. It reserves for none if a SKU is unknown, or too short for all commands together: it takes no
 * decision between them.
 *
 * The check reads the stock without a lock. If the units are taken before the locks are, the new `reserved` violates
 * `stock_not_oversold`, and nothing is done. Locks are taken as by every transaction: reservations by id, then stock by SKU.
 */
export async function reserveIfEnough(
  pool: Pool,
  commands: readonly Pick<Reservation, 'id' | 'lines'>[],
  now: Date,
): Promise<ReadonlySet<string>> {
  const wanted = unitsBySku(commands);
  try {
    const { rows } = await query<{ id: string }>(pool, {
      name: 'reserve-if-enough',
      text: `WITH claimed AS (
               INSERT INTO reservations (id, state, lines, create_time, update_time)
               SELECT id, 'RESERVED', lines, $2, $2
               FROM jsonb_to_recordset($1) AS command (id uuid, lines jsonb)
               WHERE NOT EXISTS (
                 SELECT FROM unnest($3::text[], $4::bigint[]) AS wanted (sku, quantity) LEFT JOIN stock USING (sku)
                 WHERE stock.sku IS NULL OR on_hand - reserved < quantity
               )
               ORDER BY id
               ON CONFLICT (id) DO NOTHING
               RETURNING id, lines
             ), units AS (
               SELECT sku, sum(quantity) AS quantity
               FROM claimed, jsonb_to_recordset(lines) AS line (sku text, quantity int)
               GROUP BY sku
             ), locked AS (
               SELECT stock.sku, quantity FROM units JOIN stock USING (sku)
               ORDER BY stock.sku FOR NO KEY UPDATE OF stock
             ), changed AS (
               UPDATE stock SET reserved = reserved + quantity, version = version + 1, update_time = $2
               FROM locked WHERE stock.sku = locked.sku
               RETURNING ${stockColumns}
             ), event AS (${insertStockEvents}
             )
             SELECT id FROM claimed`,
      values: [JSON.stringify(commands), now, [...wanted.keys()], [...wanted.values()]],
    });
    return new Set(rows.map(({ id }) => id));
  } catch (error) {
    if (violatesConstraint(error, 'stock_not_oversold') || isConflict(error)) return new Set();
    throw error;
  }
}
