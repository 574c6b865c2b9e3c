// <change>
import type { Pool } from '@acme/postgres/pool';
import { transaction } from '@acme/postgres/transaction';
import { type SparePart, SparePartError } from './spare-part.ts';
import { needsChange } from './spare-part-change.ts';
import { columns, fromRow, type SparePartRow } from './spare-part-row.ts';
import type { SparePartState } from './spare-part-state.ts';

export interface SparePartChange {
  readonly id: string;
  readonly to: SparePartState;
  /** Owner that the spare part must belong to, or undefined for any. */
  readonly owner: string | undefined;
  /** The etag that the caller read, or empty to change any version. */
  readonly etag: string;
}

export interface SparePartChangeStore {
  /**
   * Changes the state. Returns a spare part that has the state already unchanged. Throws SPARE_PART_NOT_FOUND,
   * STATE_NOT_ALLOWED or ETAG_MISMATCH.
   */
  change(change: SparePartChange, signal: AbortSignal): Promise<SparePart>;
}

/** @param now Wall clock for the times that callers see. */
export function createSparePartChangeStore(pool: Pool, now: () => Date): SparePartChangeStore {
  return {
    change: ({ id, to, owner, etag }, signal) =>
      transaction(
        pool,
        async (tx) => {
          const { rows } = await tx.query<SparePartRow>({
            name: 'lock-spare-part',
            text: `SELECT ${columns} FROM spare_parts
                   WHERE id = $1 AND ($2::text IS NULL OR owner_id = $2) FOR NO KEY UPDATE`,
            values: [id, owner],
          });
          if (!rows[0]) throw new SparePartError({ kind: 'SPARE_PART_NOT_FOUND', id });
          const sparePart = fromRow(rows[0]);
          if (!needsChange(sparePart, to, etag)) return sparePart;
          const changed = await tx.query<SparePartRow>({
            name: 'change-spare-part',
            text: `UPDATE spare_parts SET state = $2, version = version + 1, update_time = $3
                   WHERE id = $1
                   RETURNING ${columns}`,
            values: [id, to, now()],
          });
          return fromRow(changed.rows[0] as SparePartRow);
        },
        { signal },
      ),
  };
}
// </change>
