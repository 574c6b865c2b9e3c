import { createBatcher } from '@acme/postgres/batch/batch';
import type { Pool } from '@acme/postgres/pool/pool';
import { type Tx, transaction } from '@acme/postgres/transaction/transaction';
import type { OnTransition } from './reservation-metrics.ts';
import { allocateUnits, type Refusal, type Reservation, type StockLine } from './stock.ts';
import { insertStockEvents, stockColumns } from './stock-row.ts';

export interface ReserveCommand {
  readonly id: string;
  /** By SKU. */
  readonly lines: readonly StockLine[];
}

export interface ReservationStore {
  /** Reserves all lines or none, once for an id; answers the reservation as it stands, refusals included. */
  reserve(command: ReserveCommand): Promise<Reservation>;
  /** Gives the units back, once. An id that was never reserved is released too, so that it never can be. */
  release(id: string): Promise<Reservation>;
}

interface ReservationRow {
  id: string;
  state: Reservation['state'];
  lines: StockLine[];
  refusal: Refusal | null;
  create_time: Date;
}

const columns = 'id, state, lines, refusal, create_time';

/** Estimate of what a line takes in memory and in a statement. */
const lineBytes = 160;

/**
 * @param now Wall clock.
 * @param releasePool Connections for releases, so that a flood of them leaves those of `pool` to reserves.
 */
export function createReservationStore(
  pool: Pool,
  now: () => Date,
  onTransition: OnTransition = () => {},
  releasePool: Pool = pool,
): ReservationStore {
  const reserve = createBatcher<ReserveCommand, Reservation>({
    name: 'reserve',
    run: async (commands) => {
      const { made, known } = await transaction(pool, (tx) => reserveAll(tx, commands, now()));
      for (const reservation of made.values()) onTransition(reservation);
      return commands.map(({ id }) => (made.get(id) ?? known.get(id)) as Reservation);
    },
    maxItems: 128,
    maxQueued: 4096,
    sizeBytes: ({ lines }) => lines.length * lineBytes,
  });
  return {
    reserve,
    release: async (id) => {
      const { reservation, isNew } = await transaction(releasePool, (tx) => release(tx, id, now()));
      if (isNew) onTransition(reservation);
      return reservation;
    },
  };
}

/**
 * Reserves for many orders in one transaction. Locks are taken in one order everywhere, reservations by id and then
 * stock by SKU, so that no two transactions wait for each other.
 */
async function reserveAll(
  tx: Tx,
  commands: readonly ReserveCommand[],
  now: Date,
): Promise<Record<'made' | 'known', Map<string, Reservation>>> {
  // An id that comes twice is judged once, by the first; all are answered the same.
  const byId = new Map<string, ReserveCommand>();
  for (const command of commands) if (!byId.has(command.id)) byId.set(command.id, command);
  const claimed = await claim(tx, [...byId.values()], now);
  const made = await decide(
    tx,
    [...byId.values()].filter(({ id }) => claimed.has(id)),
    now,
  );
  const known = await read(
    tx,
    [...byId.keys()].filter((id) => !claimed.has(id)),
  );
  return { made, known };
}

/** Inserts the reservations that are new; which they were. Waits for another replica that is inserting the same. */
async function claim(tx: Tx, commands: readonly ReserveCommand[], now: Date): Promise<Set<string>> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'claim-reservations',
    text: `INSERT INTO reservations (id, state, lines, create_time, update_time)
           SELECT id, 'RESERVED', lines, $2, $2
           FROM jsonb_to_recordset($1) AS command (id uuid, lines jsonb)
           ORDER BY id
           ON CONFLICT (id) DO NOTHING
           RETURNING id`,
    values: [JSON.stringify(commands), now],
  });
  return new Set(rows.map((row) => row.id));
}

/** Locks the stock, decides in the order of arrival, and writes what was decided. */
async function decide(
  tx: Tx,
  commands: readonly ReserveCommand[],
  now: Date,
): Promise<Map<string, Reservation>> {
  if (commands.length === 0) return new Map();
  const available = await lockAvailable(tx, commands);
  const taken = new Map<string, number>();
  const reservations = commands.map(({ id, lines }): Reservation => {
    const refusal = allocateUnits(available, lines);
    if (refusal) return { id, state: 'REFUSED', lines, refusal, createTime: now };
    for (const { sku, quantity } of lines) taken.set(sku, (taken.get(sku) ?? 0) + quantity);
    return { id, state: 'RESERVED', lines, refusal: undefined, createTime: now };
  });
  await writeRefusals(
    tx,
    reservations.filter(({ state }) => state === 'REFUSED'),
  );
  await changeReserved(tx, taken, now);
  return new Map(reservations.map((reservation) => [reservation.id, reservation]));
}

async function read(tx: Tx, ids: readonly string[]): Promise<Map<string, Reservation>> {
  if (ids.length === 0) return new Map();
  const { rows } = await tx.query<ReservationRow>({
    name: 'reservations-by-id',
    text: `SELECT ${columns} FROM reservations WHERE id = ANY ($1)`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.id, fromRow(row)]));
}

async function lockAvailable(
  tx: Tx,
  commands: readonly Pick<ReserveCommand, 'lines'>[],
): Promise<Map<string, bigint>> {
  const skus = new Set(commands.flatMap(({ lines }) => lines.map(({ sku }) => sku)));
  const { rows } = await tx.query<{ sku: string; available: bigint }>({
    name: 'lock-stock',
    text: `SELECT sku, on_hand - reserved AS available FROM stock WHERE sku = ANY ($1) ORDER BY sku FOR NO KEY UPDATE`,
    values: [[...skus]],
  });
  return new Map(rows.map(({ sku, available }) => [sku, available]));
}

async function writeRefusals(tx: Tx, refused: readonly Reservation[]): Promise<void> {
  if (refused.length === 0) return;
  await tx.query({
    name: 'refuse-reservations',
    text: `UPDATE reservations SET state = 'REFUSED', refusal = refused.refusal
           FROM jsonb_to_recordset($1) AS refused (id uuid, refusal jsonb)
           WHERE reservations.id = refused.id`,
    values: [JSON.stringify(refused)],
  });
}

/** Adds to what is reserved of each SKU, whose rows the transaction has locked. */
async function changeReserved(tx: Tx, bySku: ReadonlyMap<string, number>, now: Date): Promise<void> {
  if (bySku.size === 0) return;
  await tx.query({
    name: 'change-reserved',
    text: `WITH changed AS (
             UPDATE stock SET reserved = reserved + change.quantity, version = version + 1, update_time = $3
             FROM unnest($1::text[], $2::bigint[]) AS change (sku, quantity)
             WHERE stock.sku = change.sku
             RETURNING ${stockColumns}
           )
           ${insertStockEvents}`,
    values: [[...bySku.keys()], [...bySku.values()], now],
  });
}

async function release(tx: Tx, id: string, now: Date): Promise<{ reservation: Reservation; isNew: boolean }> {
  const before = await lockOrInsertTombstone(tx, id, now);
  if (before.state === 'RESERVED') {
    await lockAvailable(tx, [before]);
    await changeReserved(tx, new Map(before.lines.map(({ sku, quantity }) => [sku, -quantity])), now);
  }
  if (before.state === 'RELEASED') return { reservation: before, isNew: false };
  await tx.query({
    name: 'release-reservation',
    text: `UPDATE reservations SET state = 'RELEASED', update_time = $2 WHERE id = $1`,
    values: [id, now],
  });
  return { reservation: { ...before, state: 'RELEASED' }, isNew: true };
}

/** The reservation, locked. One that does not exist is left behind as released, and refuses the reserve that is late. */
async function lockOrInsertTombstone(tx: Tx, id: string, now: Date): Promise<Reservation> {
  await tx.query({
    name: 'entomb-reservation',
    text: `INSERT INTO reservations (id, state, lines, create_time, update_time)
           VALUES ($1, 'RELEASED', '[]', $2, $2)
           ON CONFLICT (id) DO NOTHING`,
    values: [id, now],
  });
  const { rows } = await tx.query<ReservationRow>({
    name: 'lock-reservation',
    text: `SELECT ${columns} FROM reservations WHERE id = $1 FOR UPDATE`,
    values: [id],
  });
  return fromRow(rows[0] as ReservationRow);
}

function fromRow({ create_time, refusal, ...row }: ReservationRow): Reservation {
  return { ...row, refusal: refusal ?? undefined, createTime: create_time };
}
