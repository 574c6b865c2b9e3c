import type { KnownOrders } from '../data/known-orders.ts';

const maxRows = 200;
/** New rows appear this often, so that a reader can follow them. */
const advanceMs = 500;
const maxNewRows = 2;

/** The orders that are listed, newest first. */
export interface Listing {
  readonly ids: readonly string[];
  /** `orders.seen` and the time when it was made. */
  readonly seen: number;
  readonly atMs: number;
  /** Whether there were more new orders than rows. */
  readonly isSample: boolean;
  /** Whether the page knew the orders of every customer when it was made. */
  readonly isComplete: boolean;
}

export const emptyListing: Listing = { ids: [], seen: 0, atMs: 0, isSample: false, isComplete: false };

export interface Present {
  readonly orders: Pick<KnownOrders, 'seen' | 'newest' | 'lastPlaced'>;
  /** Whether every watch is live. Before that, orders arrive by customer, and not in the order in which they were placed. */
  readonly isLive: boolean;
  isOwn(id: string): boolean;
  readonly atMs: number;
}

/**
 * Returns the next listing. At a rate that is too high to read it takes a sample of the new orders, and those that this page has placed.
 */
export function advance(listing: Listing, { orders, isLive, isOwn, atMs }: Present): Listing {
  const seen = orders.seen;
  if (!listing.isComplete || !isLive)
    return { ids: orders.lastPlaced(maxRows), seen, atMs, isSample: false, isComplete: isLive };
  const fresh = seen - listing.seen;
  if (fresh === 0) return atMs - listing.atMs > advanceMs * 4 ? { ...listing, isSample: false } : listing;
  if (listing.ids.length > 0 && atMs - listing.atMs < advanceMs) return listing;
  const newest = orders.newest(fresh).toReversed();
  const added = newest.filter(({ id }, index) => index < maxNewRows || isOwn(id));
  return {
    ids: [...added.map(({ id }) => id), ...listing.ids].slice(0, maxRows),
    seen,
    atMs,
    isSample: newest.length > added.length,
    isComplete: true,
  };
}
