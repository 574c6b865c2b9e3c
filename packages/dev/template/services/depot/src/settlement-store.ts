// <settle>
import { createLeases, type Leases, type WorkTable } from '@acme/postgres/leased-work';
import type { Pool } from '@acme/postgres/pool';
import type { SparePart } from './spare-part.ts';
import { columns, fromRow, type SparePartRow } from './spare-part-row.ts';

/** Settles spare parts. Leases those that are PENDING. */
export interface SettlementStore extends Leases<SparePart> {
  /** Records that the work of the spare part is done: it is STORED, unless it is no longer PENDING. */
  markSettled(id: string): Promise<void>;
}

const pendingSpareParts: WorkTable<SparePartRow, SparePart> = {
  table: 'spare_parts',
  dueColumn: 'settle_after',
  attemptsColumn: 'settle_attempts',
  columns,
  fromRow,
};

/** @param now Wall clock for the times that callers see. */
export function createSettlementStore(pool: Pool, now: () => Date): SettlementStore {
  return {
    ...createLeases(pool, pendingSpareParts),
    markSettled: async (id) => {
      await pool.query({
        name: 'settle-spare-part',
        text: `UPDATE spare_parts
               SET state = 'STORED', version = version + 1, update_time = $2, settle_after = NULL
               WHERE id = $1 AND state = 'PENDING'`,
        values: [id, now()],
      });
    },
  };
}
// </settle>
