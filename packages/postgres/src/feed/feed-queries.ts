import type pg from 'pg';
import { type Page, type PageRow, pageSubquery, toPage } from '../paging/page.ts';
import type { Pool } from '../pool/pool.ts';
import type { FeedEvent, FeedSource } from './feed-source.ts';
import { type Position, requireKnown } from './position.ts';

interface PageLimits {
  readonly events: number;
  readonly sizeBytes: number;
}

/** Maximum size of a read of the live feed, which serves all watchers of the process. */
const livePage: PageLimits = { events: 500, sizeBytes: 256 * 1024 };
/** Maximum size of a read of the events that one watch has missed. */
const missedPage: PageLimits = { events: 100, sizeBytes: 16 * 1024 };

/**
 * For up to `fewKeys` keys, a read scans all missed numbers of each key. For more keys it covers at most `maxSpan` numbers,
 * because a page is read of each key before they are merged.
 */
const fewKeys = 20;
const maxSpan = 20_000n;

/**
 * Reads the committed events after a position.
 *
 * @throws PositionExpiredError
 * @throws PositionAheadError
 */
export async function readPage<Row extends pg.QueryResultRow, Event>(
  pool: Pool,
  source: FeedSource<Row, Event>,
  after: Position,
): Promise<Page<FeedEvent<Event>>> {
  const events = `SELECT * FROM ${source.table} WHERE seq > $2 ORDER BY seq LIMIT ${livePage.events + 1}`;
  return read(pool, source, { name: `page-of-${source.table}`, events, limits: livePage }, after, [
    after.seq,
  ]);
}

/** The events that a watch has missed and reads next. */
export interface MissedQuery {
  /** The last position that the watch has reached. */
  readonly known: Position;
  /** Only events after this number are read. */
  readonly after: bigint;
  /** Number of the last event to read. */
  readonly upTo: bigint;
  /** Undefined for all. */
  readonly keys: ReadonlySet<string> | undefined;
}

/**
 * Reads a page of the events that a watch has missed. The keys have no further events up to the number `end`.
 *
 * @throws PositionExpiredError
 * @throws PositionAheadError
 */
export async function readMissed<Row extends pg.QueryResultRow, Event>(
  pool: Pool,
  source: FeedSource<Row, Event>,
  { known, after, upTo, keys }: MissedQuery,
): Promise<{ readonly events: readonly FeedEvent<Event>[]; readonly end: bigint }> {
  const spanEnd = after + maxSpan;
  const end = keys && keys.size > fewKeys && spanEnd < upTo ? spanEnd : upTo;
  const statement = keys ? missedByKey(source) : missedOfAll(source);
  const values = [after, end, ...(keys ? [[...keys]] : [])] as const;
  const page = await read(pool, source, { ...statement, limits: missedPage }, known, values);
  const last = page.items.at(-1);
  return { events: page.items, end: page.hasMore && last ? last.position.seq : end };
}

function missedOfAll({ table }: { readonly table: string }) {
  return {
    name: `missed-of-${table}`,
    events: `SELECT * FROM ${table} WHERE seq > $2 AND seq <= $3 ORDER BY seq LIMIT ${missedPage.events + 1}`,
  };
}

/**
 * Compares and orders by the key and the number together, so that the key's index alone can serve it. By the primary key
 * the statement would read the events of all other keys in between. The index may omit rows without a key.
 */
function missedByKey({ table, keyColumn }: { readonly table: string; readonly keyColumn: string }) {
  return {
    name: `missed-by-key-of-${table}`,
    events: `SELECT event.* FROM unnest($4::text[]) AS watched (key)
             CROSS JOIN LATERAL (
               SELECT * FROM ${table}
               WHERE (${keyColumn}, seq) > (watched.key, $2) AND (${keyColumn}, seq) <= (watched.key, $3)
                 AND ${keyColumn} IS NOT NULL
               ORDER BY ${keyColumn}, seq LIMIT ${missedPage.events + 1}
             ) AS event
             ORDER BY seq LIMIT ${missedPage.events + 1}`,
  };
}

interface KeptRow {
  readonly pruned_seq: bigint;
  readonly known_us: bigint | null;
}

interface EventRow extends PageRow {
  readonly seq: bigint;
  readonly time_us: bigint;
  readonly size_bytes: number;
}

/**
 * Reads events and, in the same snapshot, whether the database still holds the event of the position `known`.
 *
 * The source's `join` is applied twice: to measure the candidates, and to the events of the page.
 */
async function read<Row extends pg.QueryResultRow, Event>(
  pool: Pool,
  { table, join, sizeBytes, columns, fromRow }: FeedSource<Row, Event>,
  { name, events, limits }: { readonly name: string; readonly events: string; readonly limits: PageLimits },
  known: Position,
  values: readonly [after: bigint, ...unknown[]],
): Promise<Page<FeedEvent<Event>>> {
  const measured = `SELECT event.*, ${sizeBytes} AS size_bytes FROM (${events}) AS event ${join}`;
  const { rows } = await pool.query<(KeptRow & Row & EventRow) | (KeptRow & { readonly seq: null })>({
    name,
    text: `SELECT feed.pruned_seq, known.time_us AS known_us, page.*
           FROM ${keptOf(table)}
           LEFT JOIN (
             SELECT event.seq, ${timeUs('event')} AS time_us, event.size_bytes, event.found, ${columns}
             FROM ${pageSubquery(measured, 'seq', limits.sizeBytes)} AS event ${join}
           ) AS page ON true
           ORDER BY page.seq`,
    values: [known.seq, ...values],
  });
  requireKept(table, known, values[0], rows[0]);
  const found = rows.filter((row): row is KeptRow & Row & EventRow => row.seq !== null);
  return toPage(found, limits.events, (row) => ({
    ...fromRow(row),
    position: { seq: row.seq, timeUs: row.time_us },
  }));
}

/** Throws `PositionExpiredError` or `PositionAheadError` when the feed cannot be read after the position. */
export async function requirePosition(pool: Pool, table: string, position: Position): Promise<void> {
  const { rows } = await pool.query<KeptRow>({
    name: `position-in-${table}`,
    text: `SELECT feed.pruned_seq, known.time_us AS known_us FROM ${keptOf(table)}`,
    values: [position.seq],
  });
  requireKept(table, position, position.seq, rows[0]);
}

/** Returns a FROM of one row: how far the feed is pruned, and the time of the event with the number $1. */
function keptOf(table: string): string {
  return `(SELECT pruned_seq FROM change_feeds WHERE name = '${table}') AS feed
          LEFT JOIN ${failsWhereReadOnly} ON true
          LEFT JOIN (SELECT ${timeUs(table)} AS time_us FROM ${table} WHERE seq = $1) AS known ON true`;
}

/**
 * A FROM without rows that a read-only server rejects with 25006, because it asks for a lock. A demoted primary that still
 * answers has no new events, so its watchers would wait in silence. After the error the pool connects to the new primary.
 */
const failsWhereReadOnly = '(SELECT FROM change_feeds WHERE false FOR KEY SHARE) AS lockable';

function requireKept(table: string, position: Position, after: bigint, row: KeptRow | undefined): void {
  if (!row) throw noFeed(table);
  requireKnown(position, after, { prunedSeq: row.pruned_seq, timeUs: row.known_us ?? undefined });
}

/** Reads the position of the last committed event. */
export async function readEnd(pool: Pool, table: string): Promise<Position> {
  const { rows } = await pool.query<{ seq: bigint; time_us: bigint | null }>({
    name: `end-of-${table}`,
    text: `SELECT greatest(pruned_seq, last.seq) AS seq, last.time_us
           FROM change_feeds
           LEFT JOIN (SELECT seq, ${timeUs(table)} AS time_us FROM ${table} ORDER BY seq DESC LIMIT 1) AS last ON true
           WHERE name = $1`,
    values: [table],
  });
  if (!rows[0]) throw noFeed(table);
  return { seq: rows[0].seq, timeUs: rows[0].time_us ?? undefined };
}

/**
 * Reads the ids of the transactions that may have taken a number from the table's sequence and have not ended. INSERT
 * locks the table before it takes a number, and PostgreSQL releases the lock only after the transaction's end is visible.
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

function timeUs(table: string): string {
  return `(extract(epoch FROM ${table}.event_time) * 1000000)::bigint`;
}

function noFeed(table: string): Error {
  return new Error(`the table change_feeds has no row ${table}: a migration inserts it`);
}
