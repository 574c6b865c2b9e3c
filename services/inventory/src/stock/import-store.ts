import type { Pool } from '@acme/postgres/pool';
import { type Tx, transaction } from '@acme/postgres/transaction';
import { mergeStagedItems } from './import-merge.ts';
import { InventoryError } from './stock.ts';

export interface StockItem {
  readonly sku: string;
  readonly title: string;
  /** New number of units, not a difference. */
  readonly onHand: bigint;
}

export interface ImportSummary {
  readonly received: bigint;
  readonly created: bigint;
  readonly updated: bigint;
}

export interface ImportId {
  readonly id: string;
  /** Number of rows that the client announced, or 0 if unknown. */
  readonly itemCount: bigint;
}

export interface ImportStore {
  /**
   * Sets the stock of all items in one transaction, once per import id. A repeat returns the first summary without reading
   * its items. Throws the error of `items`, BAD_REQUEST, IMPORT_ID_REUSED or ON_HAND_BELOW_RESERVED. A failed import
   * changes nothing.
   */
  run(id: ImportId, items: AsyncIterable<StockItem>, signal: AbortSignal): Promise<ImportSummary>;
}

/** Number of rows per INSERT, and so the number that an import holds in memory. */
const rowsPerInsert = 1000;

/** Maximum pause of the client between rows. */
const idleTimeoutMs = 60_000;

/** Timeout of a statement and of a lock: the deadline of ImportStock in the contract. The signal ends the import earlier. */
const statementTimeoutMs = 300_000;

/**
 * @param now Wall clock.
 * @param onChanged Called after each committed import.
 */
export function createImportStore(
  pool: Pool,
  now: () => Date,
  onChanged: () => void = () => {},
): ImportStore {
  return {
    run: async ({ id, itemCount }, items, signal) => {
      const summary = await transaction(
        pool,
        async (connection) => {
          const tx = withLongTimeout(connection);
          await tx.query(`SET LOCAL idle_in_transaction_session_timeout = ${idleTimeoutMs}`);
          await tx.query(`SET LOCAL statement_timeout = ${statementTimeoutMs}`);
          await tx.query(`SET LOCAL lock_timeout = ${statementTimeoutMs}`);
          const known = await claim(tx, id, now());
          if (known) return replaySummary(id, itemCount, known);
          const received = await stage(tx, items);
          const created = await mergeStagedItems(tx, now());
          return await writeSummary(tx, id, { received, created, updated: received - created });
        },
        // No retry, because the items can be read only once.
        { signal, maxAttempts: 1 },
      );
      onChanged();
      return summary;
    },
  };
}

/** Returns the transaction with a client-side timeout that is long enough for statements over a million rows. */
function withLongTimeout(tx: Tx): Tx {
  return {
    query: (query, values = []) => {
      const statement = typeof query === 'string' ? { text: query, values } : query;
      return tx.query({ ...statement, query_timeout: statementTimeoutMs });
    },
  };
}

/** Inserts the import's id. If an earlier import has it, waits for its end and returns its summary. */
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

/** Returns the summary of the first import. Throws IMPORT_ID_REUSED if the announced number of rows differs. */
function replaySummary(importId: string, itemCount: bigint, first: ImportSummary): ImportSummary {
  const { received } = first;
  if (itemCount === 0n || itemCount === received) return first;
  throw new InventoryError({ kind: 'IMPORT_ID_REUSED', importId, received });
}

/** Copies the items in chunks into `import_items`, a temporary table of this transaction. Returns their number. */
async function stage(tx: Tx, items: AsyncIterable<StockItem>): Promise<bigint> {
  await tx.query(
    `CREATE TEMPORARY TABLE import_items
       (position bigint GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0),
        sku text COLLATE "C", title text, on_hand bigint)
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
  // Without statistics the planner expects a few rows, not a million.
  await tx.query('ANALYZE import_items');
  return received;
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
