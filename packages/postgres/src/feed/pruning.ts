import type { Pool } from '../pool/pool.ts';
import { rowsPerBatch } from '../retention/sweeper.ts';
import { transaction } from '../transaction/transaction.ts';

/**
 * Removes the oldest events, up to the first that is younger than `retentionMs`, one batch at most. Records in
 * `change_feeds` how far, for watchers that resume from before. The lock of that row lets one replica at a time work. The
 * database's clock decides, because the replicas' clocks differ.
 *
 * @param limit Maximum number of events.
 * @returns The number of events removed.
 */
export async function prune(
  pool: Pool,
  table: string,
  retentionMs: number,
  limit = rowsPerBatch,
): Promise<number> {
  return transaction(pool, async (tx) => {
    const { rows } = await tx.query<{ pruned_seq: bigint }>(
      'SELECT pruned_seq FROM change_feeds WHERE name = $1 FOR UPDATE SKIP LOCKED',
      [table],
    );
    if (!rows[0]) return 0;
    const { rowCount } = await tx.query(
      `WITH oldest AS (
         SELECT seq, event_time FROM ${table} WHERE seq > $1 ORDER BY seq LIMIT $4
       ), last AS (
         SELECT max(seq) AS seq FROM oldest
         WHERE seq < coalesce((SELECT min(seq) FROM oldest WHERE event_time >= now() - $2 * interval '1 ms'), 9223372036854775807)
       ), noted AS (
         UPDATE change_feeds SET pruned_seq = last.seq FROM last WHERE name = $3 AND last.seq IS NOT NULL
       )
       DELETE FROM ${table} USING last WHERE ${table}.seq > $1 AND ${table}.seq <= last.seq`,
      [rows[0].pruned_seq, retentionMs, table, limit],
    );
    return rowCount ?? 0;
  });
}
