import type { Pool } from '../pool/pool.ts';
import { createWakeableSleep } from '../timing/wakeable-sleep.ts';
import { transaction } from '../transaction/transaction.ts';

/** Maximum number of events that one transaction removes. */
const batchSize = 5000;
const intervalMs = 60_000;

/** Removes old events, at once and then every minute. Every replica does so; a row lock lets one at a time work. */
export function startPruning(options: {
  readonly pool: Pool;
  readonly table: string;
  readonly retentionMs: number;
  readonly onError: (error: unknown) => void;
}): { close(): Promise<void> } {
  const { pool, table, retentionMs, onError } = options;
  const { sleep, wake } = createWakeableSleep();
  let closed = false;
  const run = async () => {
    while (!closed) {
      try {
        const pruned = await prune(pool, table, retentionMs);
        if (pruned === batchSize) continue;
      } catch (error) {
        onError(error);
      }
      await sleep(intervalMs);
    }
  };
  const ended = run();
  return {
    close: async () => {
      closed = true;
      wake();
      await ended;
    },
  };
}

/**
 * Removes the oldest events, up to the first that is younger than `retentionMs`, one batch at most. Records in
 * `change_feeds` how far, for watchers that resume from before. The database's clock decides, because the replicas'
 * clocks differ.
 *
 * @returns The number of events removed.
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
