import { hash } from 'node:crypto';
import type pg from 'pg';
import { RowLostError } from '../errors/database-errors.ts';
import type { Tx } from '../transaction/transaction.ts';

/** A row to create for a request that the client may repeat (AIP-155). */
export interface Creation {
  /** UUID of the new row. Unused if an earlier request has created the row. */
  readonly id: string;
  /** Idempotency key: a UUID in lower case. */
  readonly requestId: string;
  /** Hash of the content. It distinguishes a repeated request from a request_id that is reused for other content. */
  readonly fingerprint: Buffer;
}

/**
 * Describes a table whose rows are created once per owner and request. It has the columns `id uuid PRIMARY KEY`,
 * `request_id uuid`, `fingerprint bytea` and `ownerColumn text NOT NULL`, and a unique constraint on `ownerColumn` and
 * `request_id`. A row without a request_id is one whose request is forgotten (`forgetRequests`).
 */
export interface CreationTable<Item extends Creation, Row extends pg.QueryResultRow, Created> {
  readonly table: string;
  /** Column of the owner. Owners may use the same request ids. */
  readonly ownerColumn: string;
  readonly ownerOf: (item: Item) => string;
  /** The columns that `fromRow` reads, qualified by the table. */
  readonly columns: string;
  readonly fromRow: (row: Row) => Created;
  /** Returns the error for a request_id that has created the row with this id, with other content. */
  readonly reused: (item: Item, id: string) => Error;
}

/**
 * Returns the SHA-256 of the content as JSON. The order of keys does not matter, a bigint counts as its digits and a Date as
 * its time, and a key without a value (`undefined`) as absent. Sort arrays whose order has no meaning.
 *
 * @throws TypeError for a Map or a Set, which JSON does not contain.
 */
export function fingerprintOf(content: unknown): Buffer {
  return hash('sha256', JSON.stringify(content, canonical), 'buffer');
}

function canonical(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`;
  if (value instanceof Map || value instanceof Set)
    throw new TypeError(`${key || 'the content'} has no JSON for its fingerprint: pass an array`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Maximum number of times that rows are inserted. */
const maxAttempts = 2;

/**
 * Creates the row once per owner and request_id, however often and however concurrently it is requested. Returns the new
 * row, or the current state of the row that an earlier request has created. Throws the table's `reused` error.
 *
 * @param tx A pool, or a transaction at the level READ COMMITTED.
 * @param insert Inserts the row `ON CONFLICT … DO NOTHING`, and returns it unless there was a conflict.
 */
export async function createOnce<Item extends Creation, Row extends pg.QueryResultRow, Created>(
  tx: Tx,
  table: CreationTable<Item, Row, Created>,
  item: Item,
  insert: () => Promise<Created | undefined>,
): Promise<Created> {
  const [outcome] = await createAllOnce(tx, table, [item], async () => {
    const created = await insert();
    return new Map(created === undefined ? [] : [[item.id, created]]);
  });
  if (outcome instanceof Error) throw outcome;
  return outcome as Created;
}

/**
 * As `createOnce`, for many rows. Returns the row or the `reused` error of each item, in the order of the items. Items with
 * the same request get the row of the first one.
 *
 * @param insert Inserts the rows `ON CONFLICT … DO NOTHING`, in the order of their keys, which rules out deadlocks. Returns
 * the inserted rows by id. Called again, with the same items, when an earlier request was forgotten meanwhile.
 */
export async function createAllOnce<Item extends Creation, Row extends pg.QueryResultRow, Created>(
  tx: Tx,
  table: CreationTable<Item, Row, Created>,
  items: readonly Item[],
  insert: () => Promise<ReadonlyMap<string, Created>>,
): Promise<(Created | Error)[]> {
  const created = new Map<string, Created>();
  for (let attempt = 1; ; attempt++) {
    for (const [id, row] of await insert()) created.set(id, row);
    const others = items.filter(({ id }) => !created.has(id));
    const earlier = await findEarlier(tx, table, others);
    const isMissing = (item: Item) => !earlier.has(requestKey(table.ownerOf(item), item.requestId));
    // The request of a row may be forgotten between the two statements. Inserting again then creates a row.
    if (attempt < maxAttempts && others.some(isMissing)) continue;
    return items.map((item) => created.get(item.id) ?? replay(table, item, earlier));
  }
}

type EarlierRow<Row> = Row & {
  readonly earlier_id: string;
  readonly earlier_owner: string;
  readonly earlier_request: string;
  readonly earlier_fingerprint: Buffer;
};

/** Returns the rows of earlier requests by `requestKey`. Runs after the insert: a new statement sees what it waited for. */
async function findEarlier<Item extends Creation, Row extends pg.QueryResultRow, Created>(
  tx: Tx,
  { table, ownerColumn, ownerOf, columns }: CreationTable<Item, Row, Created>,
  items: readonly Item[],
): Promise<Map<string, EarlierRow<Row>>> {
  if (items.length === 0) return new Map();
  const { rows } = await tx.query<EarlierRow<Row>>({
    name: `find-earlier-${table}`,
    text: `SELECT ${columns}, ${table}.id AS earlier_id, ${table}.${ownerColumn} AS earlier_owner,
                  ${table}.request_id AS earlier_request, ${table}.fingerprint AS earlier_fingerprint
           FROM unnest($1::text[], $2::uuid[]) AS key (owner, request)
           JOIN ${table} ON ${table}.${ownerColumn} = key.owner AND ${table}.request_id = key.request`,
    values: [items.map(ownerOf), items.map(({ requestId }) => requestId)],
  });
  return new Map(rows.map((row) => [requestKey(row.earlier_owner, row.earlier_request), row]));
}

/** Returns the row of the earlier request, or the `reused` error if the content of that request differs. */
function replay<Item extends Creation, Row extends pg.QueryResultRow, Created>(
  { ownerOf, fromRow, reused }: CreationTable<Item, Row, Created>,
  item: Item,
  earlier: ReadonlyMap<string, EarlierRow<Row>>,
): Created | Error {
  const row = earlier.get(requestKey(ownerOf(item), item.requestId));
  if (!row) throw new RowLostError(`the row of request ${item.requestId} was neither inserted nor found`);
  return row.earlier_fingerprint.equals(item.fingerprint) ? fromRow(row) : reused(item, row.earlier_id);
}

function requestKey(owner: string, requestId: string): string {
  return `${requestId} ${owner}`;
}
