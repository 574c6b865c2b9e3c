import type { Pool } from '@acme/postgres/pool';
import { type Tx, transaction } from '@acme/postgres/transaction';
import type { OnTransition } from './reservation-metrics.ts';
import { fromRow, type ReservationRow, reservationColumns } from './reservation-row.ts';
import { changeReserved, lockAvailable } from './reserved-units.ts';
import type { Reservation } from './stock.ts';

export interface ReleaseStore {
  /** Releases the units, once. For an unknown id it inserts a tombstone that rejects a late reserve. */
  release(id: string): Promise<Reservation>;
}

/** @param now Wall clock. */
export function createReleaseStore(
  pool: Pool,
  now: () => Date,
  onTransition: OnTransition = () => {},
): ReleaseStore {
  return {
    release: async (id) => {
      const { reservation, isChanged } = await transaction(pool, (tx) => release(tx, id, now()));
      if (isChanged) onTransition(reservation);
      return reservation;
    },
  };
}

async function release(
  tx: Tx,
  id: string,
  now: Date,
): Promise<{ reservation: Reservation; isChanged: boolean }> {
  const before = await lockOrInsertTombstone(tx, id, now);
  if (before.state === 'RESERVED') {
    await lockAvailable(tx, [before]);
    await changeReserved(tx, new Map(before.lines.map(({ sku, quantity }) => [sku, -quantity])), now);
  }
  if (before.state === 'RELEASED') return { reservation: before, isChanged: false };
  await tx.query({
    name: 'release-reservation',
    text: `UPDATE reservations SET state = 'RELEASED', update_time = $2 WHERE id = $1`,
    values: [id, now],
  });
  return { reservation: { ...before, state: 'RELEASED' }, isChanged: true };
}

/** Maximum number of times that a tombstone is inserted. */
const maxAttempts = 2;

/** Locks the reservation. If there is none, inserts a tombstone: a RELEASED reservation, which rejects a late reserve. */
async function lockOrInsertTombstone(tx: Tx, id: string, now: Date): Promise<Reservation> {
  // An old reservation may be removed between the insert that it conflicts with and the lock.
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    await tx.query({
      name: 'insert-tombstone',
      text: `INSERT INTO reservations (id, state, lines, create_time, update_time)
             VALUES ($1, 'RELEASED', '[]', $2, $2)
             ON CONFLICT (id) DO NOTHING`,
      values: [id, now],
    });
    const { rows } = await tx.query<ReservationRow>({
      name: 'lock-reservation',
      text: `SELECT ${reservationColumns} FROM reservations WHERE id = $1 FOR UPDATE`,
      values: [id],
    });
    if (rows[0]) return fromRow(rows[0]);
  }
  throw new Error(`reservation ${id} was neither inserted nor found`);
}
