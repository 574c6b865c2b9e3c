import type { Pool } from '@acme/postgres/pool';
import { type Tx, transaction } from '@acme/postgres/transaction';
import { type Count, type CountOutcome, checkCount, isSku, type Stock } from './stock.ts';
import { insertStockEvents, stockColumns } from './stock-row.ts';

export interface CountStore {
  /**
   * Sets on_hand to the count, or returns the reason why not. Atomic and idempotent, also when the signal is aborted.
   */
  apply(count: Count, signal: AbortSignal): Promise<CountOutcome>;
}

/**
 * @param now Wall clock.
 * @param onChanged Called after each committed count.
 */
export function createCountStore(pool: Pool, now: () => Date, onChanged: () => void = () => {}): CountStore {
  return {
    apply: async (count, signal) => {
      const outcome = await transaction(pool, (tx) => apply(tx, count, now()), { signal });
      onChanged();
      return outcome;
    },
  };
}

async function apply(tx: Tx, { sku, counted }: Count, now: Date): Promise<CountOutcome> {
  const stock = await lockStock(tx, sku);
  const outcome = checkCount(stock, counted);
  // A count that equals on_hand changes nothing.
  if (!outcome.errorReason && outcome.expected !== counted) await setOnHand(tx, { sku, counted }, now);
  return outcome;
}

/** Locks the item, so that the check and the change see the same values. */
async function lockStock(tx: Tx, sku: string): Promise<Pick<Stock, 'onHand' | 'reserved'> | undefined> {
  // A misread barcode may contain a NUL, which PostgreSQL rejects.
  if (!isSku(sku)) return undefined;
  const { rows } = await tx.query<{ onHand: bigint; reserved: bigint }>({
    name: 'lock-counted-stock',
    text: `SELECT on_hand AS "onHand", reserved FROM stock WHERE sku = $1 FOR NO KEY UPDATE`,
    values: [sku],
  });
  return rows[0];
}

async function setOnHand(tx: Tx, { sku, counted }: Count, now: Date): Promise<void> {
  await tx.query({
    name: 'set-counted-stock',
    text: `WITH changed AS (
             UPDATE stock SET on_hand = $2, version = version + 1, update_time = $3 WHERE sku = $1
             RETURNING ${stockColumns}
           )
           ${insertStockEvents}`,
    values: [sku, counted, now],
  });
}
