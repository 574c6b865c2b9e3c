import type { Answer } from './invariants.ts';

/** What somebody wants, and goes on asking for under one request id until it has an answer. */
export type Wish = Pick<Answer, 'customerId' | 'requestId' | 'units'>;

/** One call, as its caller saw it. */
export interface Call {
  readonly method: 'place' | 'cancel' | 'get';
  readonly wish: Wish;
  /** Since the start of the history. */
  readonly startMs: number;
  readonly endMs: number;
  readonly outcome: Outcome;
}

export type Outcome =
  | { readonly kind: 'ok'; readonly orderId: string; readonly state: Answer['state'] }
  /** Refused for good. `orderId` names an order that stands all the same, as REJECTED. */
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string; readonly orderId: string }
  /** Nobody knows what it did. */
  | { readonly kind: 'unknown'; readonly code: string; readonly message: string };

/** What the calls of a history promised, as the books must keep it. */
export function answersOf(calls: readonly Call[]): Answer[] {
  return calls.flatMap(({ wish, outcome }) => {
    const told = toldBy(outcome);
    return told ? [{ ...wish, ...told }] : [];
  });
}

/** The order, and its state, that an outcome tells of. */
export function toldBy(outcome: Outcome): Pick<Answer, 'orderId' | 'state'> | undefined {
  if (outcome.kind === 'ok') return { orderId: outcome.orderId, state: outcome.state };
  if (outcome.kind === 'refused' && outcome.orderId !== '' && outcome.reason !== 'REQUEST_ID_REUSED')
    return { orderId: outcome.orderId, state: 'REJECTED' };
  return undefined;
}
