import type pg from 'pg';
import { rowsWithin } from '../paging/rows-within.ts';
import type { Pool } from '../pool/pool.ts';
import { type Place, requireKnown } from './position.ts';

/** A change as the feed gives it to watchers. */
export interface FeedEvent<Event> {
  readonly place: Place;
  /** What watchers filter by: a customer's id, a SKU. */
  readonly key: string;
  readonly event: Event;
  /** Approximate memory that it takes while it waits for a watcher. */
  readonly sizeBytes: number;
}

/**
 * Where the events of a feed are. The table has a `seq bigint GENERATED ALWAYS AS IDENTITY`, without a cache, as its
 * primary key, `event_time`, and an index on `keyColumn` and `seq`; nothing but INSERT and the feed's own pruning touches
 * it. A row of `change_feeds` by the table's name holds how far it is pruned.
 */
export interface FeedSource<Row extends pg.QueryResultRow, Event> {
  readonly table: string;
  /** The column of the table that watchers filter by. */
  readonly keyColumn: string;
  /** JOINs, to the table as `event`, of what else an event is made of; empty when the table has it all. */
  readonly join: string;
  /** Size of an event's row in bytes: an SQL expression, an int above 0. */
  readonly sizeBytes: string;
  /** The columns that an event is made of. */
  readonly columns: string;
  readonly fromRow: (row: Row & { readonly size_bytes: number }) => Omit<FeedEvent<Event>, 'place'>;
}

/** A part of a feed, in order. */
export interface FeedPage<Event> {
  readonly events: readonly FeedEvent<Event>[];
  /** Whether the page ended because it was full. */
  readonly isCut: boolean;
}

/** Maximum of what is read at a time, for all watchers of the process and for one that catches up. */
const livePage = { events: 500, sizeBytes: 256 * 1024 };
const missedPage = { events: 100, sizeBytes: 16 * 1024 };

/** A page is read of each key, before they are merged. For more keys than these, a read covers `maxSpan` numbers at most. */
const fewKeys = 20;
const maxSpan = 20_000n;

/** Reads the events after a place that have been committed. Throws `ExpiredError` and `PlaceAheadError`. */
export async function readPage<Row extends pg.QueryResultRow, Event>(
  pool: Pool,
  source: FeedSource<Row, Event>,
  after: Place,
): Promise<FeedPage<Event>> {
  const events = `SELECT * FROM ${source.table} WHERE seq > $2 ORDER BY seq LIMIT ${livePage.events}`;
  return read(pool, source, { name: `page-of-${source.table}`, events, maximum: livePage }, after, [
    after.seq,
  ]);
}

/** What a watch that catches up reads next. */
export interface MissedQuery {
  /** The last place that is known to the watch. */
  readonly known: Place;
  /** Nothing up to here is wanted. */
  readonly after: bigint;
  readonly upTo: bigint;
  /** Undefined for all. */
  readonly keys: ReadonlySet<string> | undefined;
}

/**
 * Reads the events of some keys that a watch has missed, as many as a page may have. The keys have no others up to `end`.
 * Throws `ExpiredError` and `PlaceAheadError`.
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
  const page = await read(pool, source, { ...statement, maximum: missedPage }, known, values);
  const last = page.events.at(-1);
  return { events: page.events, end: page.isCut && last ? last.place.seq : end };
}

function missedOfAll({ table }: { readonly table: string }) {
  return {
    name: `missed-of-${table}`,
    events: `SELECT * FROM ${table} WHERE seq > $2 AND seq <= $3 ORDER BY seq LIMIT ${missedPage.events}`,
  };
}

/**
 * Compares and orders by the key and the number together, so that the key's index alone can serve it: by the primary key it
 * would read the events of all others in between. The index may leave out rows without a key.
 */
function missedByKey({ table, keyColumn }: { readonly table: string; readonly keyColumn: string }) {
  return {
    name: `missed-by-key-of-${table}`,
    events: `SELECT event.* FROM unnest($4::text[]) AS watched (key)
             CROSS JOIN LATERAL (
               SELECT * FROM ${table}
               WHERE (${keyColumn}, seq) > (watched.key, $2) AND (${keyColumn}, seq) <= (watched.key, $3)
                 AND ${keyColumn} IS NOT NULL
               ORDER BY ${keyColumn}, seq LIMIT ${missedPage.events}
             ) AS event
             ORDER BY seq LIMIT ${missedPage.events}`,
  };
}

interface KeptRow {
  readonly pruned_seq: bigint;
  readonly known_us: bigint | null;
}

interface EventRow {
  readonly seq: bigint;
  readonly time_us: bigint;
  readonly size_bytes: number;
  readonly found: number;
}

/**
 * Reads events, and in the same snapshot whether the place that they come after is still that of the database.
 *
 * What an event is made of is joined twice: to measure the candidates, and for those that are in the page.
 */
async function read<Row extends pg.QueryResultRow, Event>(
  pool: Pool,
  { table, join, sizeBytes, columns, fromRow }: FeedSource<Row, Event>,
  page: { readonly name: string; readonly events: string; readonly maximum: typeof livePage },
  known: Place,
  values: readonly [after: bigint, ...unknown[]],
): Promise<FeedPage<Event>> {
  const measured = `SELECT event.*, ${sizeBytes} AS size_bytes FROM (${page.events}) AS event ${join}`;
  const { rows } = await pool.query<(KeptRow & Row & EventRow) | (KeptRow & { readonly seq: null })>({
    name: page.name,
    text: `SELECT feed.pruned_seq, known.time_us AS known_us, page.*
           FROM ${keptOf(table)}
           LEFT JOIN (
             SELECT event.seq, ${timeUs('event')} AS time_us, event.size_bytes, event.found, ${columns}
             FROM ${rowsWithin(page.maximum.sizeBytes, measured, 'seq')} AS event ${join}
           ) AS page ON true
           ORDER BY page.seq`,
    values: [known.seq, ...values],
  });
  requireKept(table, known, values[0], rows[0]);
  const found = rows.filter((row): row is KeptRow & Row & EventRow => row.seq !== null);
  const events = found.map((row) => ({
    ...fromRow(row),
    place: { seq: row.seq, timeUs: row.time_us },
  }));
  const candidates = found[0]?.found ?? 0;
  return { events, isCut: candidates > events.length || candidates === page.maximum.events };
}

/** Throws `ExpiredError` or `PlaceAheadError` when the feed cannot be read after the place. */
export async function checkPlace(pool: Pool, table: string, place: Place): Promise<void> {
  const { rows } = await pool.query<KeptRow>({
    name: `place-in-${table}`,
    text: `SELECT feed.pruned_seq, known.time_us AS known_us FROM ${keptOf(table)}`,
    values: [place.seq],
  });
  requireKept(table, place, place.seq, rows[0]);
}

/** How far the feed is pruned, and when the event with the number $1 happened. */
function keptOf(table: string): string {
  return `(SELECT pruned_seq FROM change_feeds WHERE name = '${table}') AS feed
          LEFT JOIN (SELECT ${timeUs(table)} AS time_us FROM ${table} WHERE seq = $1) AS known ON true`;
}

function requireKept(table: string, place: Place, after: bigint, row: KeptRow | undefined): void {
  if (!row) throw noFeed(table);
  requireKnown(place, after, { prunedSeq: row.pruned_seq, timeUs: row.known_us ?? undefined });
}

/** Reads the place of the last event that has been committed. */
export async function readEnd(pool: Pool, table: string): Promise<Place> {
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

function timeUs(table: string): string {
  return `(extract(epoch FROM ${table}.event_time) * 1000000)::bigint`;
}

function noFeed(table: string): Error {
  return new Error(`the table change_feeds holds no ${table}: the migrations write it`);
}
