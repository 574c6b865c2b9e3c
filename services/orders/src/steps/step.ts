import type { Order, Rejection } from '../order/order.ts';

/**
 * Answer of a step. DONE and REFUSED are final: a repeat answers the same, until the step is undone, after which it is
 * REFUSED.
 */
export type StepOutcome =
  | { readonly kind: 'DONE' }
  /**
   * The order is REJECTED. With `mayBeDone` an earlier attempt may have done this step, and then later steps too.
   */
  | { readonly kind: 'REFUSED'; readonly rejection: Rejection; readonly mayBeDone?: boolean }
  /** The call failed or timed out, and may have taken effect. The settler asks again. */
  | { readonly kind: 'UNKNOWN'; readonly cause: unknown };

/** A part of an order that another service does, such as the reservation of its stock. Idempotent by the order's id. */
export interface Step {
  readonly name: string;
  /**
   * Does the step for a PENDING order. Never throws.
   *
   * @param options.deadlineMs Duration, not an instant.
   */
  do(order: Order, options: { readonly deadlineMs: number }): Promise<StepOutcome>;
  /**
   * Undoes the step of a CANCELLED or REJECTED order, whether or not it was done. The other service keeps a tombstone, so
   * that a late `do` is REFUSED. Throws if the other service did not confirm it.
   */
  undo(order: Order): Promise<void>;
  /** Returns the state of the circuit breaker of the other service. */
  circuitState(): StepCircuitState;
}

/** As `CircuitState` of @acme/rpc. */
type StepCircuitState = 'closed' | 'probe-due' | 'open';

/** Undoes all steps, each of them even if another one fails. Throws the first failure. */
export async function undoAll(steps: readonly Step[], order: Order): Promise<void> {
  const outcomes = await Promise.allSettled(steps.map((step) => step.undo(order)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Returns `open` if the circuit of a step is open, and `closed` if all are. An order needs all of its steps. */
export function circuitStateOf(steps: readonly Step[]): StepCircuitState {
  const states = steps.map((step) => step.circuitState());
  return (
    states.find((state) => state === 'open') ?? states.find((state) => state === 'probe-due') ?? 'closed'
  );
}
