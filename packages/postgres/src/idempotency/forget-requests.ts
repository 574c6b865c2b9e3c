import type { Pool } from '../pool/pool.ts';
import { rowsPerBatch } from '../retention/sweeper.ts';
import { transaction } from '../transaction/transaction.ts';

/**
 * Describes a `CreationTable` whose requests are forgotten. Its ids are UUIDv7, and it has a column `create_time timestamptz`.
 * The table `forgotten_requests`, with the columns `table_name text PRIMARY KEY` and `last_id uuid NOT NULL`, has a row for it,
 * which starts with the smallest id.
 */
export interface RequestTable {
  readonly table: string;
  /** SQL condition of the rows that keep their request, for example because the work of the request is not done. */
  readonly keepWhile: string;
}

/**
 * Forgets the requests of the oldest rows, up to the first row that is younger than `retentionMs`, one batch at most. The rows
 * stay, without `request_id` and `fingerprint`: the same request creates another row from then on. Records in
 * `forgotten_requests` how far. The lock of that row lets one replica at a time work. The database's clock decides.
 *
 * A row that keeps its request when its batch is processed is not processed again.
 *
 * @param limit Maximum number of rows.
 * @returns The number of rows that were processed.
 */
export async function forgetRequests(
  pool: Pool,
  { table, keepWhile }: RequestTable,
  retentionMs: number,
  limit = rowsPerBatch,
): Promise<number> {
  return transaction(pool, async (tx) => {
    const { rows: progress } = await tx.query<{ last_id: string }>(
      'SELECT last_id FROM forgotten_requests WHERE table_name = $1 FOR UPDATE SKIP LOCKED',
      [table],
    );
    if (!progress[0]) return 0;
    const { rows } = await tx.query<{ id: string; is_expired: boolean }>(
      `SELECT id, create_time < now() - $2 * interval '1 ms' AS is_expired
       FROM ${table} WHERE id > $1 ORDER BY id LIMIT $3`,
      [progress[0].last_id, retentionMs, limit],
    );
    const firstKept = rows.findIndex((row) => !row.is_expired);
    const ids = rows.slice(0, firstKept === -1 ? rows.length : firstKept).map(({ id }) => id);
    const lastId = ids.at(-1);
    if (lastId === undefined) return 0;
    await tx.query(
      `UPDATE ${table} SET request_id = NULL, fingerprint = NULL
       WHERE id = ANY ($1) AND request_id IS NOT NULL AND NOT (${keepWhile})`,
      [ids],
    );
    await tx.query('UPDATE forgotten_requests SET last_id = $2 WHERE table_name = $1', [table, lastId]);
    return ids.length;
  });
}
