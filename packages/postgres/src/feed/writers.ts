import type { Pool } from '../pool/pool.ts';

/**
 * The transactions that may have taken a number from the table's sequence and have not ended. INSERT locks the table
 * before it takes one, and the lock is let go only after the transaction's end can be seen by others.
 */
export async function readWriters(pool: Pool, table: string): Promise<Set<string>> {
  const { rows } = await pool.query<{ id: string }>({
    name: `writers-of-${table}`,
    text: `SELECT virtualtransaction AS id FROM pg_locks
           WHERE locktype = 'relation' AND relation = $1::regclass AND mode = 'RowExclusiveLock' AND granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    values: [table],
  });
  return new Set(rows.map(({ id }) => id));
}
