import type pg from 'pg';
import type { Position } from './position.ts';

/** A change, as the feed delivers it to watchers. */
export interface FeedEvent<Event> {
  readonly position: Position;
  /** The key that watchers filter by, such as a customer's id or a SKU. */
  readonly key: string;
  readonly event: Event;
  /** Approximate memory that the event takes while it is buffered, in bytes. */
  readonly sizeBytes: number;
}

/**
 * Describes the table of a feed's events. It has a primary key `seq bigint GENERATED ALWAYS AS IDENTITY` without a cache,
 * an `event_time`, and an index on `keyColumn` and `seq`. Only INSERT and the feed's own pruning change it. The row of
 * `change_feeds` with the table's name records how far it is pruned.
 */
export interface FeedSource<Row extends pg.QueryResultRow, Event> {
  readonly table: string;
  /** The column that watchers filter by. */
  readonly keyColumn: string;
  /** JOINs to the table, which is named `event`, of the tables that hold the rest of an event. Empty when there are none. */
  readonly join: string;
  /** SQL expression for the size of an event's row in bytes, an int above 0. */
  readonly sizeBytes: string;
  /** The columns that `fromRow` reads. */
  readonly columns: string;
  readonly fromRow: (row: Row & { readonly size_bytes: number }) => Omit<FeedEvent<Event>, 'position'>;
}
