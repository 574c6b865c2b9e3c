import type { Tx } from '@acme/postgres/transaction';
import { InventoryError } from './stock.ts';
import { insertStockEvents, stockColumns } from './stock-row.ts';

/** Maximum number of violations in an error. */
const maxViolations = 20;

/**
 * Applies the transaction's table `import_items` to the stock, and returns the number of new items. Throws BAD_REQUEST or
 * ON_HAND_BELOW_RESERVED.
 */
export async function mergeStagedItems(tx: Tx, now: Date): Promise<bigint> {
  await rejectRepeatedSkus(tx);
  await waitForOtherImports(tx);
  const created = await insertNew(tx, now);
  await lockChanged(tx);
  await rejectBelowReserved(tx);
  await updateChanged(tx, now);
  return created;
}

async function rejectRepeatedSkus(tx: Tx): Promise<void> {
  const { rows } = await tx.query<{ sku: string; first: bigint; again: bigint }>(
    `SELECT sku, min(position) AS first, max(position) AS again FROM import_items
     GROUP BY sku HAVING count(*) > 1 ORDER BY again LIMIT $1`,
    [maxViolations],
  );
  if (rows.length === 0) return;
  const violations = rows.map(({ sku, first, again }) => ({
    field: `requests[${again}].item.sku`,
    description: `names ${sku} again, as requests[${first}] does`,
  }));
  throw new InventoryError({ kind: 'BAD_REQUEST', violations });
}

/** Serializes the merges of imports, so that one of two imports with the same items wins for all of them. */
async function waitForOtherImports(tx: Tx): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('import-stock'))`);
}

/** Inserts new items and returns their number. They block no other transaction, because they are not visible yet. */
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
 * Locks the items that change, in the order of their SKUs like every lock of stock, and writes their new values to
 * `import_changes`. From here to the commit, reserves of these items wait. Items that already have the imported values are
 * not locked, and a concurrent change of one is ordered after the import.
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

async function rejectBelowReserved(tx: Tx): Promise<void> {
  const { rows } = await tx.query<{ sku: string; on_hand: bigint; reserved: bigint }>(
    `SELECT sku, on_hand, reserved FROM import_changes WHERE on_hand < reserved ORDER BY position LIMIT $1`,
    [maxViolations],
  );
  if (rows.length === 0) return;
  const items = rows.map(({ sku, on_hand, reserved }) => ({
    sku,
    description: `${on_hand} on hand would be less than the ${reserved} reserved`,
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
