import type { Refusal, Reservation, StockLine } from './stock.ts';

/** Row of the table `reservations`. */
export interface ReservationRow {
  id: string;
  state: Reservation['state'];
  lines: StockLine[];
  refusal: Refusal | null;
  create_time: Date;
}

export const reservationColumns = 'id, state, lines, refusal, create_time';

/** Returns the reservation of a row. */
export function fromRow({ create_time, refusal, ...row }: ReservationRow): Reservation {
  return { ...row, refusal: refusal ?? undefined, createTime: create_time };
}
