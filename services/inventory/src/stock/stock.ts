/** Stock of one item. */
export interface Stock {
  readonly sku: string;
  readonly title: string;
  readonly onHand: bigint;
  readonly reserved: bigint;
  /** Number of changes, from 1. */
  readonly version: bigint;
  readonly updateTime: Date;
}

export interface StockLine {
  readonly sku: string;
  readonly quantity: number;
}

/** Reason of a refused reservation, with the items that caused it. */
export interface Refusal {
  readonly reason: 'OUT_OF_STOCK' | 'SKU_NOT_FOUND';
  readonly items: readonly { readonly sku: string; readonly description: string }[];
}

/** Stock held for an order. Its first state is RESERVED or REFUSED, its last is RELEASED. */
export interface Reservation {
  readonly id: string;
  readonly state: 'RESERVED' | 'REFUSED' | 'RELEASED';
  /** Sorted by SKU. Empty if it was released before it was reserved. */
  readonly lines: readonly StockLine[];
  readonly refusal: Refusal | undefined;
  readonly createTime: Date;
}

/** A reservation in a list, without the items of a refusal. */
export type ListedReservation = Omit<Reservation, 'refusal'>;

/** Count of one item in the warehouse. */
export interface Count {
  readonly sku: string;
  /** Units on hand, reserved ones included. */
  readonly counted: bigint;
}

export interface CountOutcome {
  /** on_hand before the count, or 0 for an unknown SKU. */
  readonly expected: bigint;
  /** Reason why the count was not applied, or undefined if it was. */
  readonly errorReason: 'SKU_NOT_FOUND' | 'COUNT_OUT_OF_RANGE' | 'COUNT_BELOW_RESERVED' | undefined;
}

/** Every error of the domain, with the data for its status. */
export type InventoryProblem =
  | { readonly kind: 'SKU_NOT_FOUND'; readonly sku: string }
  | { readonly kind: 'REFUSED'; readonly refusal: Refusal }
  | { readonly kind: 'RESERVATION_RELEASED'; readonly reservationId: string }
  | { readonly kind: 'RESERVATION_ID_REUSED'; readonly reservationId: string }
  | {
      readonly kind: 'ON_HAND_BELOW_RESERVED';
      readonly items: readonly { readonly sku: string; readonly description: string }[];
    }
  | { readonly kind: 'IMPORT_ID_REUSED'; readonly importId: string; readonly received: bigint }
  | { readonly kind: 'IMPORT_INCOMPLETE'; readonly received: bigint; readonly expected: bigint }
  | {
      readonly kind: 'BAD_REQUEST';
      readonly violations: readonly { readonly field: string; readonly description: string }[];
    };

export class InventoryError extends Error {
  override readonly name = 'InventoryError';
  readonly problem: InventoryProblem;

  constructor(problem: InventoryProblem) {
    super(problem.kind);
    this.problem = problem;
  }
}

/** Returns the lines sorted by SKU, as they are stored and compared. Throws BAD_REQUEST for a repeated SKU. */
export function sortedLines(lines: readonly StockLine[]): StockLine[] {
  const firstIndex = new Map<string, number>();
  for (const [index, { sku }] of lines.entries()) if (!firstIndex.has(sku)) firstIndex.set(sku, index);
  const violations = lines.flatMap(({ sku }, index) =>
    firstIndex.get(sku) === index
      ? []
      : [
          {
            field: `lines[${index}].sku`,
            description: `names ${sku} again, as lines[${firstIndex.get(sku)}] does`,
          },
        ],
  );
  if (violations.length > 0) throw new InventoryError({ kind: 'BAD_REQUEST', violations });
  return lines.map(({ sku, quantity }) => ({ sku, quantity })).sort((a, b) => (a.sku < b.sku ? -1 : 1));
}

export function sameLines(a: readonly StockLine[], b: readonly StockLine[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ sku, quantity }, i) => sku === b[i]?.sku && quantity === b[i]?.quantity)
  );
}

/** Returns the units of each SKU in all orders together. */
export function unitsBySku(orders: readonly { readonly lines: readonly StockLine[] }[]): Map<string, number> {
  const units = new Map<string, number>();
  for (const { lines } of orders)
    for (const { sku, quantity } of lines) units.set(sku, (units.get(sku) ?? 0) + quantity);
  return units;
}

/**
 * Allocates the units of all lines or of none. Returns a refusal that names each unknown or short SKU, or undefined if all
 * lines were allocated.
 *
 * @param available Available units by SKU, without unknown SKUs. Allocated units are subtracted.
 */
export function allocateUnits(
  available: Map<string, bigint>,
  lines: readonly StockLine[],
): Refusal | undefined {
  const unknown = lines.filter(({ sku }) => !available.has(sku));
  if (unknown.length > 0)
    return {
      reason: 'SKU_NOT_FOUND',
      items: unknown.map(({ sku }) => ({ sku, description: `there is no SKU ${sku}` })),
    };
  const short = lines.filter(({ sku, quantity }) => (available.get(sku) ?? 0n) < quantity);
  if (short.length > 0)
    return {
      reason: 'OUT_OF_STOCK',
      items: short.map(({ sku, quantity }) => ({
        sku,
        description: `${quantity} wanted, ${available.get(sku)} available`,
      })),
    };
  for (const { sku, quantity } of lines) available.set(sku, (available.get(sku) ?? 0n) - BigInt(quantity));
  return undefined;
}

/**
 * Returns the reservation if it is RESERVED with these lines, for a first and for a repeated reserve. Throws
 * RESERVATION_RELEASED, RESERVATION_ID_REUSED or REFUSED.
 */
export function requireReserved(reservation: Reservation, lines: readonly StockLine[]): Reservation {
  const reservationId = reservation.id;
  if (reservation.state === 'RELEASED')
    throw new InventoryError({ kind: 'RESERVATION_RELEASED', reservationId });
  if (!sameLines(reservation.lines, lines))
    throw new InventoryError({ kind: 'RESERVATION_ID_REUSED', reservationId });
  if (reservation.refusal) throw new InventoryError({ kind: 'REFUSED', refusal: reservation.refusal });
  return reservation;
}

/** Maximum on_hand of an item, as in the contract. */
const maxOnHand = 1_000_000_000_000n;

/** Returns whether the contract's validation rules allow this SKU. */
export function isSku(sku: string): boolean {
  return /^\P{Cc}{1,64}$/u.test(sku);
}

/**
 * Returns whether on_hand may be set to `counted`, and the reason if not.
 *
 * @param stock Current stock, or undefined for an unknown SKU.
 */
export function checkCount(
  stock: Pick<Stock, 'onHand' | 'reserved'> | undefined,
  counted: bigint,
): CountOutcome {
  if (!stock) return { expected: 0n, errorReason: 'SKU_NOT_FOUND' };
  const expected = stock.onHand;
  if (counted < 0n || counted > maxOnHand) return { expected, errorReason: 'COUNT_OUT_OF_RANGE' };
  if (counted < stock.reserved) return { expected, errorReason: 'COUNT_BELOW_RESERVED' };
  return { expected, errorReason: undefined };
}
