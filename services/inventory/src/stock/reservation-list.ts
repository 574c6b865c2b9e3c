import { type Page, type PageRow, pageSubquery, toPage } from '@acme/postgres/paging';
import type { Pool } from '@acme/postgres/pool';
import { query } from '@acme/postgres/transaction';
import type { ReservationRow } from './reservation-row.ts';
import type { ListedReservation } from './stock.ts';

export interface ReservationList {
  /** Returns a page of the reservations with ids after `after` and up to `until`, by id. */
  list(
    page: { after: string; until: string; limit: number },
    signal: AbortSignal,
  ): Promise<Page<ListedReservation>>;
}

type ListedRow = Omit<ReservationRow, 'refusal'> & PageRow;

/** SQL expression for the size of a reservation in bytes, an int. It approximates the size of its message. */
const reservationBytes = '100 + octet_length(lines::text)';

export function createReservationList(pool: Pool): ReservationList {
  return {
    list: async ({ after, until, limit }, signal) => {
      const { rows } = await query<ListedRow>(
        pool,
        {
          name: 'list-reservations',
          text: `SELECT id, state, lines, create_time, found
                 FROM ${pageSubquery(
                   `SELECT *, ${reservationBytes} AS size_bytes FROM reservations
                    WHERE id > $1 AND id <= $2
                    ORDER BY id LIMIT $3`,
                   'id',
                 )} AS reservations
                 ORDER BY id`,
          values: [after, until, limit + 1],
        },
        signal,
      );
      return toPage(rows, limit, ({ id, state, lines, create_time }) => ({
        id,
        state,
        lines,
        createTime: create_time,
      }));
    },
  };
}
