import type { Pool } from '@acme/postgres/pool';

/**
 * Removes the refused and released reservations, tombstones included, that ended more than `retentionMs` ago: the oldest, and
 * at most `limit`. Returns their number. A reserve with the id of a removed reservation is a new one. The database's clock
 * decides, because the replicas' clocks differ.
 */
export async function removeEndedReservations(
  pool: Pool,
  retentionMs: number,
  limit: number,
): Promise<number> {
  const { rowCount } = await pool.query({
    name: 'remove-ended-reservations',
    text: `DELETE FROM reservations
           WHERE id = ANY (ARRAY (
             SELECT id FROM reservations
             WHERE state <> 'RESERVED' AND update_time < now() - $1 * interval '1 ms'
             ORDER BY update_time LIMIT $2 FOR UPDATE SKIP LOCKED
           ))`,
    values: [retentionMs, limit],
  });
  return rowCount ?? 0;
}
