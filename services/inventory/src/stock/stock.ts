/** What the warehouse knows of an article. */
export interface Stock {
  readonly sku: string;
  readonly title: string;
  readonly onHand: bigint;
  readonly reserved: bigint;
  /** Counts the changes. */
  readonly version: bigint;
  readonly updateTime: Date;
}

export interface StockLine {
  readonly sku: string;
  readonly quantity: number;
}

/** Why a reservation was refused, and for which articles. */
export interface Refusal {
  readonly reason: 'OUT_OF_STOCK' | 'SKU_NOT_FOUND';
  readonly items: readonly { readonly sku: string; readonly description: string }[];
}

/** Stock held for an order. It only moves forward: RESERVED or REFUSED, then RELEASED. */
export interface Reservation {
  readonly id: string;
  readonly state: 'RESERVED' | 'REFUSED' | 'RELEASED';
  /** By SKU. */
  readonly lines: readonly StockLine[];
  readonly refusal: Refusal | undefined;
  readonly createTime: Date;
}

/** What a scanner counted of an article. */
export interface Count {
  readonly sku: string;
  readonly counted: bigint;
}

/** What became of a count. */
export interface CountOutcome {
  /** Units on hand by the books before it; 0 of an article that there is not. */
  readonly expected: bigint;
  /** Why it was not applied; undefined if it was. */
  readonly refusal: 'SKU_NOT_FOUND' | 'COUNT_OUT_OF_RANGE' | 'COUNT_BELOW_RESERVED' | undefined;
}

/** Everything that inventory refuses, each with what its caller needs to know. */
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

/** The lines by SKU, the one order in which they are stored and compared. Throws BAD_REQUEST for a SKU that comes twice. */
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

/**
 * Takes the lines from what is available, all of them or, with a refusal that names each missing or short article,
 * none.
 *
 * @param available Units by SKU; a SKU that is not there is unknown. Lowered by what is taken.
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
 * What a reserve is answered, the first time and every time after: the reservation as it stands. Throws when it was
 * refused, is void by now, or holds other lines.
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

/** The most units of an article, as the contract bounds them in an import. */
const maxOnHand = 1_000_000_000_000n;

/** Whether an article can have this SKU, as the contract's rules say it. */
export function isSku(sku: string): boolean {
  return /^\P{Cc}{1,64}$/u.test(sku);
}

/**
 * What a count is answered: it becomes the stock's on_hand unless it is refused.
 *
 * @param stock The article as it stands; undefined when there is none.
 */
export function checkCount(
  stock: Pick<Stock, 'onHand' | 'reserved'> | undefined,
  counted: bigint,
): CountOutcome {
  if (!stock) return { expected: 0n, refusal: 'SKU_NOT_FOUND' };
  const expected = stock.onHand;
  if (counted < 0n || counted > maxOnHand) return { expected, refusal: 'COUNT_OUT_OF_RANGE' };
  if (counted < stock.reserved) return { expected, refusal: 'COUNT_BELOW_RESERVED' };
  return { expected, refusal: undefined };
}
