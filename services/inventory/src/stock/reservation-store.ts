import { createBatcher } from '@acme/postgres/batch';
import type { Pool } from '@acme/postgres/pool';
import { type Tx, transaction } from '@acme/postgres/transaction';
import type { OnTransition } from './reservation-metrics.ts';
import { fromRow, type ReservationRow, reservationColumns } from './reservation-row.ts';
import { reserveIfEnough } from './reserve-if-enough.ts';
import { changeReserved, lockAvailable } from './reserved-units.ts';
import { allocateUnits, type Reservation, type StockLine, unitsBySku } from './stock.ts';

export interface ReserveCommand {
  readonly id: string;
  /** Sorted by SKU. */
  readonly lines: readonly StockLine[];
}

export interface ReservationStore {
  /**
   * Reserves all lines or none, once per id (T2 in ARCHITECTURE.md). Returns the reservation as it is, which may be REFUSED
   * or RELEASED.
   */
  reserve(command: ReserveCommand): Promise<Reservation>;
}

/** Estimated size of a line in memory and in a statement. */
const lineBytes = 160;

/** @param now Wall clock. */
export function createReservationStore(
  pool: Pool,
  now: () => Date,
  onTransition: OnTransition = () => {},
): ReservationStore {
  const reserveBatch = async (commands: readonly ReserveCommand[]): Promise<Map<string, Reservation>> => {
    const at = now();
    const first = firstOfEachId(commands);
    const ids = await reserveIfEnough(pool, first, at);
    const found = new Map(first.filter(({ id }) => ids.has(id)).map((each) => [each.id, reserved(each, at)]));
    for (const reservation of found.values()) onTransition(reservation);
    const left = first.filter(({ id }) => !ids.has(id));
    if (left.length === 0) return found;
    const { decided, known } = await transaction(pool, (tx) => reserveAll(tx, left, at));
    for (const reservation of decided.values()) onTransition(reservation);
    return new Map([...found, ...known, ...decided]);
  };
  const reserve = createBatcher<ReserveCommand, Reservation>({
    name: 'reserve',
    run: async (commands) => {
      const found = await reserveBatch(commands);
      // An old reservation may be removed between the insert that it conflicts with and the read. Its id is then free.
      const missing = commands.filter(({ id }) => !found.has(id));
      const others = missing.length > 0 ? await reserveBatch(missing) : new Map<string, Reservation>();
      return commands.map(
        ({ id }) => found.get(id) ?? others.get(id) ?? new Error(`reservation ${id} was not found`),
      );
    },
    maxItems: 128,
    maxQueued: 4096,
    sizeOf: ({ lines }) => lines.length * lineBytes,
  });
  return { reserve };
}

/** An id that occurs twice is decided once, by the first command. All commands with the id get that reservation. */
function firstOfEachId(commands: readonly ReserveCommand[]): ReserveCommand[] {
  const byId = new Map<string, ReserveCommand>();
  for (const command of commands) if (!byId.has(command.id)) byId.set(command.id, command);
  return [...byId.values()];
}

function reserved({ id, lines }: ReserveCommand, now: Date): Reservation {
  return { id, state: 'RESERVED', lines, refusal: undefined, createTime: now };
}

/**
 * Reserves for many orders in one transaction, and decides which of them are refused. Every transaction takes locks in the
 * same order, reservations by id and then stock by SKU, which rules out deadlocks.
 *
 * @param commands With different ids.
 */
async function reserveAll(
  tx: Tx,
  commands: readonly ReserveCommand[],
  now: Date,
): Promise<Record<'decided' | 'known', Map<string, Reservation>>> {
  const claimed = await claim(tx, commands, now);
  const decided = await decide(
    tx,
    commands.filter(({ id }) => claimed.has(id)),
    now,
  );
  const known = await read(
    tx,
    commands.map(({ id }) => id).filter((id) => !claimed.has(id)),
  );
  return { decided, known };
}

/** Inserts the new reservations and returns their ids. Waits for a replica that is inserting the same id. */
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

/** Locks the stock, allocates it in the order of arrival, and writes the result. */
async function decide(
  tx: Tx,
  commands: readonly ReserveCommand[],
  now: Date,
): Promise<Map<string, Reservation>> {
  if (commands.length === 0) return new Map();
  const available = await lockAvailable(tx, commands);
  const reservations = commands.map((command): Reservation => {
    const { id, lines } = command;
    const refusal = allocateUnits(available, lines);
    if (refusal) return { id, state: 'REFUSED', lines, refusal, createTime: now };
    return reserved(command, now);
  });
  await writeRefusals(
    tx,
    reservations.filter(({ state }) => state === 'REFUSED'),
  );
  await changeReserved(tx, unitsBySku(reservations.filter(({ state }) => state === 'RESERVED')), now);
  return new Map(reservations.map((reservation) => [reservation.id, reservation]));
}

async function read(tx: Tx, ids: readonly string[]): Promise<Map<string, Reservation>> {
  if (ids.length === 0) return new Map();
  const { rows } = await tx.query<ReservationRow>({
    name: 'reservations-by-id',
    text: `SELECT ${reservationColumns} FROM reservations WHERE id = ANY ($1)`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.id, fromRow(row)]));
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
