import type { Pool } from '../pool/pool.ts';
import { transaction } from '../transaction/transaction.ts';
import { createAlarm } from './wakeable-sleep.ts';

/** Events that are removed in one transaction. */
const batchSize = 5000;
const intervalMs = 60_000;

/** Removes old events, now and every minute. Any replica does it; two never do at a time. */
export function startPruning(options: {
  readonly pool: Pool;
  readonly table: string;
  readonly retentionMs: number;
  readonly onError: (error: unknown) => void;
}): { close(): Promise<void> } {
  const { pool, table, retentionMs, onError } = options;
  const alarm = createAlarm();
  let closed = false;
  const run = async () => {
    while (!closed) {
      try {
        const pruned = await prune(pool, table, retentionMs);
        if (pruned === batchSize) continue;
      } catch (error) {
        onError(error);
      }
      await alarm.sleep(intervalMs);
    }
  };
  const ended = run();
  return {
    close: async () => {
      closed = true;
      alarm.ring();
      await ended;
    },
  };
}

/**
 * Removes the oldest events, up to the first that is younger than `retentionMs`, and records how far, for watchers that
 * resume from before. Returns how many there were: a batch at most. The database's clock decides, because the clocks of
 * replicas differ.
 */
export async function prune(pool: Pool, table: string, retentionMs: number): Promise<number> {
  return transaction(pool, async (tx) => {
    const { rows } = await tx.query<{ pruned_seq: bigint }>(
      'SELECT pruned_seq FROM change_feeds WHERE name = $1 FOR UPDATE SKIP LOCKED',
      [table],
    );
    if (!rows[0]) return 0;
    const { rowCount } = await tx.query(
      `WITH oldest AS (
         SELECT seq, event_time FROM ${table} WHERE seq > $1 ORDER BY seq LIMIT ${batchSize}
       ), last AS (
         SELECT max(seq) AS seq FROM oldest
         WHERE seq < coalesce((SELECT min(seq) FROM oldest WHERE event_time >= now() - $2 * interval '1 ms'), 9223372036854775807)
       ), noted AS (
         UPDATE change_feeds SET pruned_seq = last.seq FROM last WHERE name = $3 AND last.seq IS NOT NULL
       )
       DELETE FROM ${table} USING last WHERE ${table}.seq > $1 AND ${table}.seq <= last.seq`,
      [rows[0].pruned_seq, retentionMs, table],
    );
    return rowCount ?? 0;
  });
}
