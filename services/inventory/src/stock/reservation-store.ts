import { createBatcher } from '@acme/postgres/batch/batch';
import type { Pool } from '@acme/postgres/pool/pool';
import { type Tx, transaction } from '@acme/postgres/transaction/transaction';
import type { OnTransition } from './reservation-metrics.ts';
import { allocateUnits, type Refusal, type Reservation, type StockLine } from './stock.ts';
import { insertStockEvents, stockColumns } from './stock-row.ts';

export interface ReserveCommand {
  readonly id: string;
  /** Sorted by SKU. */
  readonly lines: readonly StockLine[];
}

export interface ReservationStore {
  /** Reserves all lines or none, once per id. Returns the reservation as it is, which may be REFUSED or RELEASED. */
  reserve(command: ReserveCommand): Promise<Reservation>;
  /** Releases the units, once. For an unknown id it inserts a tombstone that rejects a late reserve. */
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

/** Estimated size of a line in memory and in a statement. */
const lineBytes = 160;

/**
 * @param now Wall clock.
 * @param releasePool Connections for releases, so that many releases do not delay reserves. Default: `pool`.
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
      const { decided, known } = await transaction(pool, (tx) => reserveAll(tx, commands, now()));
      for (const reservation of decided.values()) onTransition(reservation);
      return commands.map(({ id }) => (decided.get(id) ?? known.get(id)) as Reservation);
    },
    maxItems: 128,
    maxQueued: 4096,
    sizeBytes: ({ lines }) => lines.length * lineBytes,
  });
  return {
    reserve,
    release: async (id) => {
      const { reservation, isChanged } = await transaction(releasePool, (tx) => release(tx, id, now()));
      if (isChanged) onTransition(reservation);
      return reservation;
    },
  };
}

/**
 * Reserves for many orders in one transaction. Every transaction takes locks in the same order, reservations by id and then
 * stock by SKU, which rules out deadlocks.
 */
async function reserveAll(
  tx: Tx,
  commands: readonly ReserveCommand[],
  now: Date,
): Promise<Record<'decided' | 'known', Map<string, Reservation>>> {
  // An id that occurs twice is decided once, by the first command. All commands with the id get that reservation.
  const byId = new Map<string, ReserveCommand>();
  for (const command of commands) if (!byId.has(command.id)) byId.set(command.id, command);
  const claimed = await claim(tx, [...byId.values()], now);
  const decided = await decide(
    tx,
    [...byId.values()].filter(({ id }) => claimed.has(id)),
    now,
  );
  const known = await read(
    tx,
    [...byId.keys()].filter((id) => !claimed.has(id)),
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
  const allocated = new Map<string, number>();
  const reservations = commands.map(({ id, lines }): Reservation => {
    const refusal = allocateUnits(available, lines);
    if (refusal) return { id, state: 'REFUSED', lines, refusal, createTime: now };
    for (const { sku, quantity } of lines) allocated.set(sku, (allocated.get(sku) ?? 0) + quantity);
    return { id, state: 'RESERVED', lines, refusal: undefined, createTime: now };
  });
  await writeRefusals(
    tx,
    reservations.filter(({ state }) => state === 'REFUSED'),
  );
  await changeReserved(tx, allocated, now);
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

/** Adds to the reserved units of each SKU. The transaction has locked their rows. */
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

/** Locks the reservation. If there is none, inserts a tombstone: a RELEASED reservation, which rejects a late reserve. */
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
