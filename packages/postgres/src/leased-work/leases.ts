import type pg from 'pg';
import type { Pool } from '../pool/pool.ts';

/**
 * Describes a table whose rows may have work to do, such as orders to settle. The table has the columns
 *
 * - `id uuid PRIMARY KEY`,
 * - `dueColumn timestamptz`: when the work is due, or NULL without work. The statement that creates the work sets it, and
 *   the statement that records the result sets it to NULL.
 * - `attemptsColumn int NOT NULL DEFAULT 0`: the number of attempts so far,
 *
 * and two partial indexes on `dueColumn`: one `WHERE dueColumn IS NOT NULL`, and one that adds `AND attemptsColumn >= 8`.
 */
export interface WorkTable<Row extends pg.QueryResultRow, Item> {
  readonly table: string;
  readonly dueColumn: string;
  readonly attemptsColumn: string;
  /** The columns that `fromRow` reads. */
  readonly columns: string;
  readonly fromRow: (row: Row) => Item;
}

/** An item that a worker has leased. */
export interface Leased<Item> {
  readonly item: Item;
  /** Number of times it was leased, including this one. */
  readonly attempts: number;
}

/** Statements that lease the work of a table. Due times use the database's clock, which replicas share. */
export interface Leases<Item> {
  /**
   * Leases up to `limit` items that are due. One worker at a time holds a lease. An item that is not done when its lease
   * ends is due again after a backoff, which grows with the number of attempts.
   */
  leaseDue(options: { limit: number; leaseMs: number }): Promise<Leased<Item>[]>;
  /** Ends the leases of items whose attempt failed. Only their backoff remains. Skips items that changed meanwhile. */
  giveBack(leased: readonly Leased<Item>[], options: { leaseMs: number }): Promise<void>;
  /** Leases at most one item with work, due or not, as a probe of a dependency. It does not count as an attempt. */
  leaseProbe(options: { leaseMs: number }): Promise<Leased<Item>[]>;
  /** Ends the backoff of up to 1,000 items, which are then due at once. Skips persistent failures. */
  expedite(): Promise<void>;
}

/** Number of attempts from which on an item is a persistent failure. The partial index has the same number. */
const persistentFailureAttempts = 8;
/** Share of a batch for persistent failures, so that they do not delay other items. */
const persistentFailureShare = 1 / 8;
/** Backoff after an attempt, doubled each time, with full jitter. Three of the longest take less than 30 s. */
const firstBackoffMs = 250;
const maxBackoffMs = 8_000;
/** Maximum number of items that `expedite` makes due. */
const maxExpedited = 1000;

/**
 * Returns the leases of a table. A lease, its attempt and its backoff are one statement, so they also hold when the worker
 * dies (ADR 15). Rows are locked with SKIP LOCKED: workers never wait for each other.
 */
export function createLeases<Row extends pg.QueryResultRow, Item extends { readonly id: string }>(
  pool: Pool,
  { table, dueColumn, attemptsColumn, columns, fromRow }: WorkTable<Row, Item>,
): Leases<Item> {
  const leasedColumns = `${columns}, ${table}.${attemptsColumn} AS leased_attempts`;
  const leasedFromRow = (row: LeasedRow<Row>) => ({ item: fromRow(row), attempts: row.leased_attempts });
  /** Returns a subquery for the ids of the items that have been due for longest, or are due soonest. */
  const soonest = (condition: string, limit: string) =>
    `SELECT id FROM ${table} WHERE ${condition} ORDER BY ${dueColumn} LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED`;
  const fresh = `${attemptsColumn} < ${persistentFailureAttempts}`;
  const failing = `${attemptsColumn} >= ${persistentFailureAttempts}`;
  return {
    leaseDue: async ({ limit, leaseMs }) => {
      const { rows } = await pool.query<LeasedRow<Row>>({
        name: `lease-due-${table}`,
        text: `WITH first AS MATERIALIZED (
                 ${soonest(`${dueColumn} <= now() AND ${fresh}`, '$1::int - $2::int')}
               ), again AS MATERIALIZED (
                 ${soonest(`${dueColumn} <= now() AND ${failing}`, '$1::int - (SELECT count(*) FROM first)')}
               )
               UPDATE ${table}
               SET ${attemptsColumn} = ${attemptsColumn} + 1,
                   ${dueColumn} = now() + interval '1 ms'
                     * ($3::int + random() * least($5::int, $4::int * 2 ^ least(${attemptsColumn}, 30)))
               WHERE id IN (SELECT id FROM first UNION ALL SELECT id FROM again)
               RETURNING ${leasedColumns}`,
        values: [limit, Math.floor(limit * persistentFailureShare), leaseMs, firstBackoffMs, maxBackoffMs],
      });
      return rows.map(leasedFromRow);
    },
    giveBack: async (leased, { leaseMs }) => {
      await pool.query({
        name: `give-back-${table}`,
        // Skips items that another worker has leased in the meantime.
        text: `WITH ended AS MATERIALIZED (
                 SELECT id FROM ${table} JOIN jsonb_to_recordset($1) AS leased (id uuid, attempts int) USING (id)
                 WHERE ${dueColumn} > now() AND ${table}.${attemptsColumn} = leased.attempts
                 FOR NO KEY UPDATE OF ${table} SKIP LOCKED
               )
               UPDATE ${table} SET ${dueColumn} = ${dueColumn} - $2 * interval '1 ms'
               WHERE id IN (SELECT id FROM ended)`,
        values: [JSON.stringify(leased.map(({ item, attempts }) => ({ id: item.id, attempts }))), leaseMs],
      });
    },
    leaseProbe: async ({ leaseMs }) => {
      const { rows } = await pool.query<LeasedRow<Row>>({
        name: `lease-probe-of-${table}`,
        text: `UPDATE ${table} SET ${dueColumn} = now() + $1 * interval '1 ms'
               WHERE id = coalesce((${soonest(`${dueColumn} IS NOT NULL AND ${fresh}`, '1')}),
                                   (${soonest(`${dueColumn} IS NOT NULL AND ${failing}`, '1')}))
               RETURNING ${leasedColumns}`,
        values: [leaseMs],
      });
      return rows.map(leasedFromRow);
    },
    expedite: async () => {
      await pool.query({
        name: `expedite-${table}`,
        text: `UPDATE ${table} SET ${dueColumn} = now()
               WHERE id IN (${soonest(`${dueColumn} > now() AND ${fresh}`, '$1')})`,
        values: [maxExpedited],
      });
    },
  };
}

type LeasedRow<Row> = Row & { readonly leased_attempts: number };
