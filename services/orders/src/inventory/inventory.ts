import type { OrderLine, Rejection } from '../order/order.ts';

/** What inventory says to an order, or that nobody knows what it says. */
export type ReserveOutcome =
  | { readonly kind: 'RESERVED' }
  /** Final. `needsRelease`: an earlier attempt may have reserved, so the rejected order owes a release. */
  | { readonly kind: 'REFUSED'; readonly rejection: Rejection; readonly needsRelease?: boolean }
  /** It cannot be reached, or did not answer in time; it may have reserved. Asking again is safe. */
  | { readonly kind: 'UNKNOWN'; readonly cause: unknown };

/** Inventory, as orders sees it. */
export interface Inventory {
  /** Reserves the lines for the order, all or none, however often it is asked. Never throws. */
  reserve(
    orderId: string,
    lines: readonly OrderLine[],
    options: { deadlineMs: number },
  ): Promise<ReserveOutcome>;
  /** Gives the order's stock back, however often it is asked. Throws when inventory did not confirm it. */
  release(orderId: string): Promise<void>;
}
