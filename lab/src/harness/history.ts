import type { Acknowledgement } from './invariants.ts';

/** The order that a customer requests, under one request id for all retries. */
export type Purchase = Pick<Acknowledgement, 'customerId' | 'requestId' | 'units'>;

/** One call, from the caller's point of view. */
export interface Call {
  readonly method: 'place' | 'cancel' | 'get';
  readonly purchase: Purchase;
  /** By `performance.now()`, like `endMs`. */
  readonly startMs: number;
  readonly endMs: number;
  readonly outcome: Outcome;
}

export type Outcome =
  | { readonly kind: 'ok'; readonly orderId: string; readonly state: Acknowledgement['state'] }
  /** Rejected for good. `orderId` is the order that was created all the same, as REJECTED. */
  | { readonly kind: 'rejected'; readonly code: string; readonly reason: string; readonly orderId: string }
  /** The call failed, and may have had an effect. */
  | { readonly kind: 'unknown'; readonly code: string; readonly message: string };

/** Returns the orders that calls acknowledged, which the databases must agree with. */
export function acknowledgementsOf(calls: readonly Call[]): Acknowledgement[] {
  return calls.flatMap(({ purchase, outcome }) => {
    const order = acknowledgedBy(outcome);
    return order ? [{ ...purchase, ...order }] : [];
  });
}

/** Returns the order that an outcome acknowledges, with its state. */
export function acknowledgedBy(outcome: Outcome): Pick<Acknowledgement, 'orderId' | 'state'> | undefined {
  if (outcome.kind === 'ok') return { orderId: outcome.orderId, state: outcome.state };
  if (outcome.kind === 'rejected' && outcome.orderId !== '' && outcome.reason !== 'REQUEST_ID_REUSED')
    return { orderId: outcome.orderId, state: 'REJECTED' };
  return undefined;
}
