import { type Page, type PageRow, pageSubquery, toPage } from '@acme/postgres/paging';
import type { Pool } from '@acme/postgres/pool';
import {
  type Creation,
  type CreationTable,
  createOnce,
  fingerprintOf,
  query,
  transaction,
} from '@acme/postgres/transaction';
import { type SparePart, type SparePartContent, SparePartError } from './spare-part.ts';
import { columns, fromRow, type SparePartRow } from './spare-part-row.ts';

export interface NewSparePart extends SparePartContent {
  readonly ownerId: string;
  readonly requestId: string;
}

export interface SparePartStore {
  /** Creates the spare part, or returns the earlier spare part with this request_id. Throws REQUEST_ID_REUSED. */
  create(sparePart: NewSparePart, signal: AbortSignal): Promise<SparePart>;
  // <get>
  /** @param owner Owner that the spare part must belong to, or undefined for any. */
  get(id: string, owner: string | undefined, signal: AbortSignal): Promise<SparePart | undefined>;
  // </get>
  // <list>
  /** Returns a page of an owner's spare parts, newest first. It starts after the spare part with the id `before`, or at the newest. */
  list(
    page: { ownerId: string; before: string | undefined; limit: number },
    signal: AbortSignal,
  ): Promise<Page<SparePart>>;
  // </list>
}

export interface SparePartStoreOptions {
  /** Wall clock for the times that callers see. */
  readonly now: () => Date;
  /** Generates a UUIDv7. */
  readonly newId: () => string;
}

const createdSpareParts: CreationTable<Creation & Pick<NewSparePart, 'ownerId'>, SparePartRow, SparePart> = {
  table: 'spare_parts',
  ownerColumn: 'owner_id',
  ownerOf: ({ ownerId }) => ownerId,
  columns,
  fromRow,
  reused: ({ requestId }, sparePartId) =>
    new SparePartError({ kind: 'REQUEST_ID_REUSED', requestId, sparePartId }),
};
// <list>

/** Greatest UUID: sorts after every id. */
const maxId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
// </list>

export function createSparePartStore(pool: Pool, { now, newId }: SparePartStoreOptions): SparePartStore {
  return {
    create: (sparePart, signal) =>
      transaction(
        pool,
        (tx) => {
          const id = newId();
          const { ownerId, requestId, ...content } = sparePart;
          const fingerprint = fingerprintOf(content);
          const { title, ...others } = content;
          // A field that is not inserted is an error here.
          others satisfies Record<string, never>;
          return createOnce(tx, createdSpareParts, { id, ownerId, requestId, fingerprint }, async () => {
            const { rows } = await tx.query<SparePartRow>({
              name: 'create-spare-part',
              text: `INSERT INTO spare_parts (
                       id, owner_id, request_id, fingerprint, title,
                       -- <state>
                       update_time,
                       -- </state>
                       create_time
                     )
                     VALUES (
                       $1, $2, $3, $4, $5,
                       -- <state>
                       $6,
                       -- </state>
                       $6
                     )
                     ON CONFLICT ON CONSTRAINT spare_parts_request_once DO NOTHING
                     RETURNING ${columns}`,
              values: [id, ownerId, requestId, fingerprint, title, now()],
            });
            return rows[0] && fromRow(rows[0]);
          });
        },
        { signal },
      ),
    // <get>
    get: async (id, owner, signal) => {
      const { rows } = await query<SparePartRow>(
        pool,
        {
          name: 'get-spare-part',
          text: `SELECT ${columns} FROM spare_parts WHERE id = $1 AND ($2::text IS NULL OR owner_id = $2)`,
          values: [id, owner],
        },
        signal,
      );
      return rows[0] && fromRow(rows[0]);
    },
    // </get>
    // <list>
    list: async ({ ownerId, before = maxId, limit }, signal) => {
      const { rows } = await query<SparePartRow & PageRow>(
        pool,
        {
          name: 'list-spare-parts',
          text: `SELECT ${columns}, found
                 FROM ${pageSubquery(
                   `SELECT *, 100 + octet_length(owner_id) + octet_length(title) AS size_bytes FROM spare_parts
                    WHERE owner_id = $1 AND id < $2
                    ORDER BY id DESC LIMIT $3`,
                   'id DESC',
                 )} AS spare_parts
                 ORDER BY id DESC`,
          values: [ownerId, before, limit + 1],
        },
        signal,
      );
      return toPage(rows, limit, fromRow);
    },
    // </list>
  };
}
