import { type Order, OrderError } from '../order/order.ts';
import type { Step } from '../steps/step.ts';
import type { SettlementStore } from './settlement-store.ts';

/**
 * Asks the steps of a PENDING order in turn, stores the outcome, and returns the order as it is then. An order whose outcome
 * is unknown or cannot be stored stays PENDING, and may be settled again at any time.
 *
 * @throws OrderError ORDER_LOST, and nothing else.
 */
export type SettleOrder = (order: Order, options: SettleOptions) => Promise<Order>;

export interface SettleOptions {
  /** Maximum duration of all steps together. */
  readonly deadlineMs: number;
  /** Number of attempts of the settler, including this one. 0 for the call that places the order. */
  readonly attempts: number;
}

/** Called when an order could not be settled. */
export type OnUnsettled = (order: Order, cause: unknown, attempts: number) => void;

export interface SettleOrderDependencies {
  /** Every attempt asks all of them from the first, because a repeat has no second effect. */
  readonly steps: readonly Step[];
  readonly store: Pick<SettlementStore, 'settle'>;
  readonly onUnsettled: OnUnsettled;
  /** Monotonic clock, in ms. */
  readonly nowMs: () => number;
}

export function createSettleOrder(dependencies: SettleOrderDependencies): SettleOrder {
  const { steps, store, onUnsettled, nowMs } = dependencies;
  return async (order, { deadlineMs, attempts }) => {
    const endMs = nowMs() + deadlineMs;
    try {
      for (const [index, step] of steps.entries()) {
        const leftMs = Math.ceil(endMs - nowMs());
        if (leftMs <= 0) throw new Error(`no time is left for the step ${step.name}`);
        const outcome = await step.do(order, { deadlineMs: leftMs });
        if (outcome.kind === 'UNKNOWN') throw outcome.cause;
        if (outcome.kind === 'REFUSED') {
          const { rejection, mayBeDone = false } = outcome;
          // The answer of the first step is final, so without `mayBeDone` no later step was ever asked.
          const needsUndo = index > 0 || mayBeDone;
          return await store.settle(order.id, { state: 'REJECTED', rejection, needsUndo });
        }
      }
      return await store.settle(order.id, { state: 'CONFIRMED' });
    } catch (cause) {
      if (cause instanceof OrderError && cause.problem.kind === 'ORDER_LOST') throw cause;
      onUnsettled(order, cause, attempts);
      return order;
    }
  };
}
