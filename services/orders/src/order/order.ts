import { hash } from 'node:crypto';

export type OrderState = 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED';

export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
}

/** Values of `reject_reason` in the contract. */
export type RejectReason =
  | 'OUT_OF_STOCK'
  | 'SKU_NOT_FOUND'
  | 'RESERVATION_RELEASED'
  | 'RESERVATION_ID_REUSED'
  | 'RESERVATION_INVALID';

/** Reason why a step refused an order, with the SKUs that caused it. Reasons that start with RESERVATION have none. */
export interface Rejection {
  readonly reason: RejectReason;
  readonly items: readonly { readonly sku: string; readonly description: string }[];
}

/** An order. Its state changes from PENDING to CONFIRMED, REJECTED or CANCELLED, and from CONFIRMED to CANCELLED. */
export interface Order {
  /** UUIDv7, so ids sort by the time of placing. */
  readonly id: string;
  readonly customerId: string;
  readonly lines: readonly OrderLine[];
  readonly state: OrderState;
  /** Set if and only if the state is REJECTED. */
  readonly rejection: Rejection | undefined;
  /** Number of changes, from 1. */
  readonly version: bigint;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** Outcome of the steps of a PENDING order. With `needsUndo` the settler undoes them. */
export type Settlement =
  | { readonly state: 'CONFIRMED' }
  | {
      readonly state: 'REJECTED';
      readonly rejection: Rejection;
      readonly needsUndo: boolean;
    };

/** Every error of the domain, with the data for its status. */
export type OrderProblem =
  | { readonly kind: 'ORDER_NOT_FOUND'; readonly id: string }
  | { readonly kind: 'REJECTED'; readonly order: Order; readonly rejection: Rejection }
  | { readonly kind: 'REQUEST_ID_REUSED'; readonly requestId: string; readonly orderId: string }
  | { readonly kind: 'ORDER_REJECTED'; readonly id: string }
  | { readonly kind: 'ETAG_MISMATCH'; readonly id: string }
  /** The order was stored, and the database has failed over to a standby that had not received it. */
  | { readonly kind: 'ORDER_LOST'; readonly id: string }
  | {
      readonly kind: 'BAD_REQUEST';
      readonly violations: readonly { readonly field: string; readonly description: string }[];
    };

export class OrderError extends Error {
  override readonly name = 'OrderError';
  readonly problem: OrderProblem;

  constructor(problem: OrderProblem) {
    super(problem.kind);
    this.problem = problem;
  }
}

/** Returns a new order in its first state, PENDING. */
export function pendingOrder(placed: Pick<Order, 'id' | 'customerId' | 'lines'>, now: Date): Order {
  const { id, customerId, lines } = placed;
  const times = { createTime: now, updateTime: now };
  return { id, customerId, lines, state: 'PENDING', rejection: undefined, version: 1n, ...times };
}

/** Throws BAD_REQUEST if two lines have the same SKU. */
export function requireOneLinePerSku(lines: readonly OrderLine[]): void {
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
  if (violations.length > 0) throw new OrderError({ kind: 'BAD_REQUEST', violations });
}

/** Returns the SHA-256 of the lines, independent of their order. Requests with equal content have equal fingerprints. */
export function fingerprintOf(lines: readonly OrderLine[]): Buffer {
  const sorted = lines
    .map(({ sku, quantity }) => [sku, quantity] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify(sorted), 'buffer');
}

/**
 * Returns whether a cancel changes the order: false if it is already cancelled, whatever the etag.
 *
 * Throws ETAG_MISMATCH if the order has changed since the caller read it, and ORDER_REJECTED if it was rejected.
 *
 * @param etag The etag that the caller read, or empty to cancel any version.
 */
export function needsCancelling(order: Order, etag: string): boolean {
  if (order.state === 'CANCELLED') return false;
  if (etag !== '' && etag !== etagOf(order)) throw new OrderError({ kind: 'ETAG_MISMATCH', id: order.id });
  if (order.state === 'REJECTED') throw new OrderError({ kind: 'ORDER_REJECTED', id: order.id });
  return true;
}

/** Returns the order's etag, which changes with every change of the order (AIP-154). */
export function etagOf({ version }: Order): string {
  return String(version);
}
