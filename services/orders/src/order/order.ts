import { hash } from 'node:crypto';

export type OrderState = 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED';

export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
}

/** The values of `reject_reason` in the contract. */
export type RejectReason =
  | 'OUT_OF_STOCK'
  | 'SKU_NOT_FOUND'
  | 'RESERVATION_RELEASED'
  | 'RESERVATION_ID_REUSED'
  | 'RESERVATION_INVALID';

/** Why inventory refused an order, and the SKUs that caused it. Reasons that start with RESERVATION name no SKU. */
export interface Rejection {
  readonly reason: RejectReason;
  readonly items: readonly { readonly sku: string; readonly description: string }[];
}

/** An order. PENDING becomes CONFIRMED, REJECTED or CANCELLED, CONFIRMED becomes CANCELLED; nothing goes back. */
export interface Order {
  /** A UUIDv7: orders sort by the time they were placed in. */
  readonly id: string;
  readonly customerId: string;
  readonly lines: readonly OrderLine[];
  readonly state: OrderState;
  /** Set on REJECTED ones, and only there. */
  readonly rejection: Rejection | undefined;
  /** Counts the changes. */
  readonly version: bigint;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** What inventory decided about a PENDING order. `needsRelease`: the settler then releases what may be reserved. */
export type Settlement =
  | { readonly state: 'CONFIRMED' }
  | {
      readonly state: 'REJECTED';
      readonly rejection: Rejection;
      readonly needsRelease?: boolean | undefined;
    };

/** Everything that orders refuses, each with what its caller needs to know. */
export type OrderProblem =
  | { readonly kind: 'ORDER_NOT_FOUND'; readonly id: string }
  | { readonly kind: 'REJECTED'; readonly order: Order; readonly rejection: Rejection }
  | { readonly kind: 'REQUEST_ID_REUSED'; readonly requestId: string; readonly orderId: string }
  | { readonly kind: 'ORDER_REJECTED'; readonly id: string }
  | { readonly kind: 'ETAG_MISMATCH'; readonly id: string }
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

/** An order that has just been placed, and that inventory has not heard of yet. */
export function pendingOrder(placed: Pick<Order, 'id' | 'customerId' | 'lines'>, now: Date): Order {
  const { id, customerId, lines } = placed;
  const times = { createTime: now, updateTime: now };
  return { id, customerId, lines, state: 'PENDING', rejection: undefined, version: 1n, ...times };
}

/** Throws BAD_REQUEST for lines of which two name the same SKU. */
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

/** The same for two requests that ask for the same: the order of the lines says nothing. SHA-256. */
export function fingerprintOf(lines: readonly OrderLine[]): Buffer {
  const sorted = lines
    .map(({ sku, quantity }) => [sku, quantity] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify(sorted), 'buffer');
}

/**
 * Whether a cancellation has anything to do: not on an order that is cancelled already. Throws when the order cannot
 * be cancelled, or is no longer the one that the caller saw.
 *
 * @param etag The order's etag as the caller saw it, empty when it does not matter.
 */
export function needsCancelling(order: Order, etag: string): boolean {
  if (order.state === 'CANCELLED') return false;
  if (etag !== '' && etag !== etagOf(order)) throw new OrderError({ kind: 'ETAG_MISMATCH', id: order.id });
  if (order.state === 'REJECTED') throw new OrderError({ kind: 'ORDER_REJECTED', id: order.id });
  return true;
}

/** Changes whenever the order does. */
export function etagOf({ version }: Order): string {
  return String(version);
}
