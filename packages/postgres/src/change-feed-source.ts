import type pg from 'pg';
import type { Pool } from './pool.ts';

/** A change as the feed gives it to watchers. */
export interface FeedEvent<Event> {
  /** Its place in the feed. */
  readonly seq: bigint;
  /** What watchers choose by: whose order it is, which article. */
  readonly key: string;
  readonly event: Event;
  /** About what it takes in memory while it waits for a watcher. */
  readonly sizeBytes: number;
}

/**
 * Where the events of a feed are. The table has a `seq bigint GENERATED ALWAYS AS IDENTITY`, without a cache, as its
 * primary key, and `event_time`; nothing but INSERT and the feed's own pruning touches it. A row of `change_feeds`
 * by the table's name holds how far it is pruned.
 */
export interface FeedSource<Row extends pg.QueryResultRow, Event> {
  readonly table: string;
  /** Selects `seq` and what an event is made of FROM `eventsPage(table)`, ORDER BY seq. */
  readonly select: string;
  readonly fromRow: (row: Row) => Omit<FeedEvent<Event>, 'seq'>;
}

/** Events that are read at a time. */
export const pageSize = 500;

/** For the FROM of a source's statement: a page of the table, the limit in its text so that the planner knows it. */
export function eventsPage(table: string): string {
  return `(SELECT * FROM ${table} WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT ${pageSize})`;
}

/** More than any sequence gives. */
const lastPlace = 2n ** 63n - 1n;

/** The events after one place, up to another, that have been committed; in order, a page at the most. */
export async function readPage<Row extends pg.QueryResultRow, Event>(
  pool: Pool,
  source: FeedSource<Row, Event>,
  after: bigint,
  upTo = lastPlace,
): Promise<FeedEvent<Event>[]> {
  const { rows } = await pool.query<Row & { seq: bigint }>({
    name: `page-of-${source.table}`,
    text: source.select,
    values: [after, upTo],
  });
  return rows.map((row) => ({ ...source.fromRow(row), seq: row.seq }));
}

/** The highest place that the feed has given away or pruned. */
export async function readEnd(pool: Pool, table: string): Promise<bigint> {
  const { rows } = await pool.query<{ seq: bigint }>({
    name: `end-of-${table}`,
    text: `SELECT greatest(pruned_seq, (SELECT max(seq) FROM ${table})) AS seq FROM change_feeds WHERE name = $1`,
    values: [table],
  });
  if (!rows[0]) throw new Error(`the table change_feeds holds no ${table}: the migrations write it`);
  return rows[0].seq;
}

/** Everything up to here may be gone. */
export async function readPruned(pool: Pool, table: string): Promise<bigint> {
  const { rows } = await pool.query<{ pruned_seq: bigint }>({
    name: 'pruned-seq',
    text: 'SELECT pruned_seq FROM change_feeds WHERE name = $1',
    values: [table],
  });
  return rows[0]?.pruned_seq ?? 0n;
}

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
