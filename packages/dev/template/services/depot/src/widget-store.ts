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
import { contentOf, type Widget, type WidgetContent, WidgetError } from './widget.ts';

export interface NewWidget extends WidgetContent {
  readonly ownerId: string;
  readonly requestId: string;
}

export interface WidgetStore {
  /** Creates the widget, or returns the earlier widget with this request_id. Throws REQUEST_ID_REUSED. */
  create(widget: NewWidget, signal: AbortSignal): Promise<Widget>;
  /** @param owner Owner that the widget must belong to, or undefined for any. */
  get(id: string, owner: string | undefined, signal: AbortSignal): Promise<Widget | undefined>;
  /** Returns a page of an owner's widgets, newest first. It starts after the widget with the id `before`, or at the newest. */
  list(
    page: { ownerId: string; before: string | undefined; limit: number },
    signal: AbortSignal,
  ): Promise<Page<Widget>>;
}

export interface WidgetStoreOptions {
  /** Wall clock for the times that callers see. */
  readonly now: () => Date;
  /** Generates a UUIDv7. */
  readonly newId: () => string;
}

interface WidgetRow {
  id: string;
  owner_id: string;
  title: string;
  create_time: Date;
}

const columns = 'widgets.id, widgets.owner_id, widgets.title, widgets.create_time';

const createdWidgets: CreationTable<Creation & Pick<NewWidget, 'ownerId'>, WidgetRow, Widget> = {
  table: 'widgets',
  ownerColumn: 'owner_id',
  ownerOf: ({ ownerId }) => ownerId,
  columns,
  fromRow,
  reused: ({ requestId }, widgetId) => new WidgetError({ kind: 'REQUEST_ID_REUSED', requestId, widgetId }),
};

/** Greatest UUID: sorts after every id. */
const maxId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export function createWidgetStore(pool: Pool, { now, newId }: WidgetStoreOptions): WidgetStore {
  return {
    create: (widget, signal) =>
      transaction(
        pool,
        (tx) => {
          const id = newId();
          const { ownerId, requestId, title } = widget;
          const fingerprint = fingerprintOf(contentOf(widget));
          return createOnce(tx, createdWidgets, { id, ownerId, requestId, fingerprint }, async () => {
            const { rows } = await tx.query<WidgetRow>({
              name: 'create-widget',
              text: `INSERT INTO widgets (id, owner_id, request_id, fingerprint, title, create_time)
                     VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT ON CONSTRAINT widgets_request_once DO NOTHING
                     RETURNING ${columns}`,
              values: [id, ownerId, requestId, fingerprint, title, now()],
            });
            return rows[0] && fromRow(rows[0]);
          });
        },
        { signal },
      ),
    get: async (id, owner, signal) => {
      const { rows } = await query<WidgetRow>(
        pool,
        {
          name: 'get-widget',
          text: `SELECT ${columns} FROM widgets WHERE id = $1 AND ($2::text IS NULL OR owner_id = $2)`,
          values: [id, owner],
        },
        signal,
      );
      return rows[0] && fromRow(rows[0]);
    },
    list: async ({ ownerId, before = maxId, limit }, signal) => {
      const { rows } = await query<WidgetRow & PageRow>(
        pool,
        {
          name: 'list-widgets',
          text: `SELECT ${columns}, found
                 FROM ${pageSubquery(
                   `SELECT *, 100 + octet_length(owner_id) + octet_length(title) AS size_bytes FROM widgets
                    WHERE owner_id = $1 AND id < $2
                    ORDER BY id DESC LIMIT $3`,
                   'id DESC',
                 )} AS widgets
                 ORDER BY id DESC`,
          values: [ownerId, before, limit + 1],
        },
        signal,
      );
      return toPage(rows, limit, fromRow);
    },
  };
}

function fromRow(row: WidgetRow): Widget {
  return { id: row.id, ownerId: row.owner_id, title: row.title, createTime: row.create_time };
}
