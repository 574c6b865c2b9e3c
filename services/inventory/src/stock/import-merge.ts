import type { Tx } from '@acme/postgres/transaction/transaction';
import { InventoryError } from './stock.ts';
import { insertStockEvents, stockColumns } from './stock-row.ts';

/** Problems named at the most; the others are found once these are mended. */
const maxNamed = 20;

/**
 * Makes the stock what the transaction's table `import_items` says; how many articles were new. Throws BAD_REQUEST or
 * ON_HAND_BELOW_RESERVED.
 */
export async function mergeStagedItems(tx: Tx, now: Date): Promise<bigint> {
  await refuseRepeatedSkus(tx);
  await waitForOtherImports(tx);
  const created = await insertNew(tx, now);
  await lockChanged(tx);
  await refuseBelowReserved(tx);
  await updateChanged(tx, now);
  return created;
}

async function refuseRepeatedSkus(tx: Tx): Promise<void> {
  const { rows } = await tx.query<{ sku: string; first: bigint; again: bigint }>(
    `SELECT sku, min(position) AS first, max(position) AS again FROM import_items
     GROUP BY sku HAVING count(*) > 1 ORDER BY again LIMIT $1`,
    [maxNamed],
  );
  if (rows.length === 0) return;
  const violations = rows.map(({ sku, first, again }) => ({
    field: `requests[${again}].item.sku`,
    description: `names ${sku} again, as requests[${first}] does`,
  }));
  throw new InventoryError({ kind: 'BAD_REQUEST', violations });
}

/** One import at a time changes the stock, so that of two with the same articles one stands as a whole. */
async function waitForOtherImports(tx: Tx): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('import-stock'))`);
}

/** Inserts the articles that are new; how many. Nobody waits for them: they are not to be seen yet. */
async function insertNew(tx: Tx, now: Date): Promise<bigint> {
  const { rowCount } = await tx.query(
    `WITH changed AS (
       INSERT INTO stock (sku, title, on_hand, update_time)
       SELECT sku, title, on_hand, $1 FROM import_items ORDER BY sku
       ON CONFLICT (sku) DO NOTHING
       RETURNING ${stockColumns}
     )
     ${insertStockEvents}`,
    [now],
  );
  return BigInt(rowCount ?? 0);
}

/**
 * Locks the articles that will change, by SKU, as everybody locks stock, and writes down what is to become of them. From
 * here to the end, orders of them wait. One that is already as the import has it is left alone: no order waits for it,
 * and what changes it in the meantime comes after the import.
 */
async function lockChanged(tx: Tx): Promise<void> {
  await tx.query(
    `CREATE TEMPORARY TABLE import_changes ON COMMIT DROP AS
     SELECT item.*, stock.reserved FROM import_items AS item JOIN stock USING (sku)
     WHERE (item.title, item.on_hand) IS DISTINCT FROM (stock.title, stock.on_hand)
     ORDER BY sku FOR NO KEY UPDATE OF stock`,
  );
  await tx.query('ANALYZE import_changes');
}

async function refuseBelowReserved(tx: Tx): Promise<void> {
  const { rows } = await tx.query<{ sku: string; on_hand: bigint; reserved: bigint }>(
    `SELECT sku, on_hand, reserved FROM import_changes WHERE on_hand < reserved ORDER BY position LIMIT $1`,
    [maxNamed],
  );
  if (rows.length === 0) return;
  const items = rows.map(({ sku, on_hand, reserved }) => ({
    sku,
    description: `${on_hand} on hand would be fewer than the ${reserved} that are reserved`,
  }));
  throw new InventoryError({ kind: 'ON_HAND_BELOW_RESERVED', items });
}

async function updateChanged(tx: Tx, now: Date): Promise<void> {
  await tx.query(
    `WITH changed AS (
       UPDATE stock SET title = change.title, on_hand = change.on_hand, version = version + 1, update_time = $1
       FROM import_changes AS change
       WHERE stock.sku = change.sku
       RETURNING ${stockColumns}
     )
     ${insertStockEvents}`,
    [now],
  );
}
