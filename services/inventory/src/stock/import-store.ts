import type { Pool } from '@acme/postgres/pool/pool';
import { type Tx, transaction } from '@acme/postgres/transaction/transaction';
import { mergeStagedItems } from './import-merge.ts';
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

export interface ImportId {
  readonly id: string;
  /** Rows that it says it has; 0 when it does not. */
  readonly itemCount: bigint;
}

export interface ImportStore {
  /**
   * Sets the stock of all items in one transaction, once for an import's id; a repeat answers the first one's summary
   * without reading its items. Throws what the items throw, BAD_REQUEST, IMPORT_ID_REUSED or ON_HAND_BELOW_RESERVED, and
   * changes nothing.
   */
  run(id: ImportId, items: AsyncIterable<StockItem>, signal: AbortSignal): Promise<ImportSummary>;
}

/** Rows that are sent to the database at a time: what an import holds in memory. */
const rowsPerInsert = 1000;

/** How long a caller may pause between rows. */
const idleTimeoutMs = 60_000;

/** How long a statement may take, or wait: as long as the contract gives the whole import, which its signal ends. */
const statementTimeoutMs = 300_000;

/**
 * @param now Wall clock.
 * @param onChanged Hears that stock has changed, once that is committed.
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
          const tx = patient(connection);
          await tx.query(`SET LOCAL idle_in_transaction_session_timeout = ${idleTimeoutMs}`);
          await tx.query(`SET LOCAL statement_timeout = ${statementTimeoutMs}`);
          await tx.query(`SET LOCAL lock_timeout = ${statementTimeoutMs}`);
          const known = await claim(tx, id, now());
          if (known) return replaySummary(id, itemCount, known);
          const received = await stage(tx, items);
          const created = await mergeStagedItems(tx, now());
          return await writeSummary(tx, id, { received, created, updated: received - created });
        },
        // The items can be read once only.
        { signal, maxAttempts: 1 },
      );
      onChanged();
      return summary;
    },
  };
}

/** The same transaction, for statements over a million rows, for which the pool would not wait. */
function patient(tx: Tx): Tx {
  return {
    query: (query, values = []) => {
      const statement = typeof query === 'string' ? { text: query, values } : query;
      return tx.query({ ...statement, query_timeout: statementTimeoutMs });
    },
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

/** A repeat's rows are not read. What it says of their number must fit: another import must not pass for done. */
function replaySummary(importId: string, itemCount: bigint, first: ImportSummary): ImportSummary {
  const { received } = first;
  if (itemCount === 0n || itemCount === received) return first;
  throw new InventoryError({ kind: 'IMPORT_ID_REUSED', importId, received });
}

/** Copies the items into `import_items`, a table of this transaction's own, some at a time; how many there were. */
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
  // Without it the planner takes a million rows for a few.
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
