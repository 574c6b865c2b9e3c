import type { Pool } from '@acme/postgres/pool';
import { type Tx, transaction } from '@acme/postgres/transaction';
import { InventoryError } from './stock.ts';

export interface StockItem {
  readonly sku: string;
  readonly title: string;
  /** The new count, not a difference. */
  readonly onHand: bigint;
}

export interface ImportSummary {
  readonly received: bigint;
  readonly created: bigint;
  readonly updated: bigint;
}

export interface ImportStore {
  /**
   * Sets the stock of all items in one transaction, once for an import's id; a repeat answers the first one's summary
   * without reading its items. Throws what the items throw, BAD_REQUEST or ON_HAND_BELOW_RESERVED, and changes nothing.
   */
  run(id: string, items: AsyncIterable<StockItem>, signal: AbortSignal): Promise<ImportSummary>;
}

/** Rows that are sent to the database at a time: what an import holds in memory. */
const rowsPerInsert = 1000;

/** How long a statement over all rows of an import may take. */
const statementTimeoutMs = 60_000;

/** Problems named at the most; the others are found once these are mended. */
const maxNamed = 20;

/** @param now Wall clock. */
export function createImportStore(pool: Pool, now: () => Date): ImportStore {
  return {
    run: (id, items, signal) =>
      transaction(
        pool,
        async (tx) => {
          // An importer may be slow, and the merge of a million rows takes its time.
          await tx.query(`SET LOCAL idle_in_transaction_session_timeout = ${statementTimeoutMs}`);
          await tx.query(`SET LOCAL statement_timeout = ${statementTimeoutMs}`);
          const known = await claim(tx, id, now());
          if (known) return known;
          const received = await stage(tx, items);
          await refuseRepeatedSkus(tx);
          const created = await insertNew(tx, now());
          await lockKnown(tx);
          await refuseBelowReserved(tx);
          await updateKnown(tx, now());
          return await writeSummary(tx, id, { received, created, updated: received - created });
        },
        // The items can be read once only.
        { signal, maxAttempts: 1 },
      ),
  };
}

/** Takes the id, or gives the summary of the import that had it first, waiting for it if it is still running. */
async function claim(tx: Tx, id: string, now: Date): Promise<ImportSummary | undefined> {
  const { rowCount } = await tx.query(
    `INSERT INTO imports (id, received, created, updated, create_time) VALUES ($1, 0, 0, 0, $2)
     ON CONFLICT (id) DO NOTHING`,
    [id, now],
  );
  if (rowCount === 1) return undefined;
  const { rows } = await tx.query<ImportSummary & Record<string, bigint>>(
    `SELECT received, created, updated FROM imports WHERE id = $1`,
    [id],
  );
  return rows[0];
}

/** Copies the items into a table of this transaction's own, a bounded number at a time; how many there were. */
async function stage(tx: Tx, items: AsyncIterable<StockItem>): Promise<bigint> {
  await tx.query(
    `CREATE TEMPORARY TABLE import_items
       (position bigint GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0),
        sku text COLLATE "C", title text, on_hand bigint, is_new boolean NOT NULL DEFAULT false)
     ON COMMIT DROP`,
  );
  let received = 0n;
  let chunk: StockItem[] = [];
  const flush = async () => {
    await tx.query(
      `INSERT INTO import_items (sku, title, on_hand) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])`,
      [chunk.map(({ sku }) => sku), chunk.map(({ title }) => title), chunk.map(({ onHand }) => onHand)],
    );
    received += BigInt(chunk.length);
    chunk = [];
  };
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length === rowsPerInsert) await flush();
  }
  if (chunk.length > 0) await flush();
  return received;
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

/**
 * Inserts the articles that are new, by SKU; how many. Before the others are locked: one that another import makes in
 * the meantime is known from here on, and what is reserved of it counts.
 */
async function insertNew(tx: Tx, now: Date): Promise<bigint> {
  const { rowCount } = await tx.query({
    text: `WITH made AS (
             INSERT INTO stock (sku, title, on_hand, update_time)
             SELECT sku, title, on_hand, $1 FROM import_items ORDER BY sku
             ON CONFLICT (sku) DO NOTHING
             RETURNING sku
           )
           UPDATE import_items SET is_new = true FROM made WHERE import_items.sku = made.sku`,
    values: [now],
    query_timeout: statementTimeoutMs,
  });
  return BigInt(rowCount ?? 0);
}

/** By SKU, as everybody locks stock. */
async function lockKnown(tx: Tx): Promise<void> {
  await tx.query({
    text: `SELECT FROM stock WHERE sku IN (SELECT sku FROM import_items WHERE NOT is_new)
           ORDER BY sku FOR NO KEY UPDATE`,
    query_timeout: statementTimeoutMs,
  });
}

async function refuseBelowReserved(tx: Tx): Promise<void> {
  const { rows } = await tx.query<{ sku: string; on_hand: bigint; reserved: bigint }>(
    `SELECT sku, item.on_hand, stock.reserved FROM import_items AS item JOIN stock USING (sku)
     WHERE item.on_hand < stock.reserved ORDER BY position LIMIT $1`,
    [maxNamed],
  );
  if (rows.length === 0) return;
  const items = rows.map(({ sku, on_hand, reserved }) => ({
    sku,
    description: `${on_hand} on hand would be fewer than the ${reserved} that are reserved`,
  }));
  throw new InventoryError({ kind: 'ON_HAND_BELOW_RESERVED', items });
}

async function updateKnown(tx: Tx, now: Date): Promise<void> {
  await tx.query({
    text: `UPDATE stock
           SET title = item.title, on_hand = item.on_hand, version = version + 1, update_time = $1
           FROM import_items AS item
           WHERE stock.sku = item.sku AND NOT item.is_new`,
    values: [now],
    query_timeout: statementTimeoutMs,
  });
}

async function writeSummary(tx: Tx, id: string, summary: ImportSummary): Promise<ImportSummary> {
  await tx.query(`UPDATE imports SET received = $2, created = $3, updated = $4 WHERE id = $1`, [
    id,
    summary.received,
    summary.created,
    summary.updated,
  ]);
  return summary;
}
