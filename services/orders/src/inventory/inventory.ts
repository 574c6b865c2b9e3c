import type { OrderLine, Rejection } from '../order/order.ts';

/** Outcome of a reserve for an order. */
export type ReserveOutcome =
  | { readonly kind: 'RESERVED' }
  /** Final. With `needsRelease` an earlier attempt may have reserved, so the reservation has to be released. */
  | { readonly kind: 'REJECTED'; readonly rejection: Rejection; readonly needsRelease?: boolean }
  /** The call failed or timed out, and inventory may have reserved. Repeating it is safe. */
  | { readonly kind: 'UNKNOWN'; readonly cause: unknown };

/** Operations of inventory that orders needs. */
export interface Inventory {
  /**
   * Reserves all lines for the order, or none. Idempotent by `orderId`. Never throws.
   *
   * @param options.deadlineMs Duration, not an instant.
   */
  reserve(
    orderId: string,
    lines: readonly OrderLine[],
    options: { deadlineMs: number },
  ): Promise<ReserveOutcome>;
  /** Releases the order's stock. Idempotent. Throws if inventory did not confirm the release. */
  release(orderId: string): Promise<void>;
}
