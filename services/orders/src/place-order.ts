import { fingerprintOf, type Order, type OrderLine, requireOneLinePerSku } from './order/order.ts';
import type { PlacementStore } from './order/placement-store.ts';
import type { SettleOrder } from './settling/settle-order.ts';

export interface PlaceOrderCommand {
  readonly customerId: string;
  readonly requestId: string;
  readonly lines: readonly OrderLine[];
  /** The call's deadline, in ms since the epoch. A `deadlineMs` is a duration. */
  readonly deadlineAtMs: number;
}

/** Places an order once per request id. Returns the order as it is when the response is due: PENDING or settled. */
export type PlaceOrder = (command: PlaceOrderCommand) => Promise<Order>;

export interface PlaceOrderDependencies {
  readonly store: PlacementStore;
  readonly settle: SettleOrder;
  /** Whether calls of a step currently fail. */
  readonly isUnavailable: () => boolean;
  /** Runs work that continues after the call has ended. */
  readonly detach: (work: () => Promise<unknown>) => void;
  readonly newId: () => string;
  /** Wall clock, in ms since the epoch. */
  readonly nowMs: () => number;
}

/** Maximum duration of the steps, even if the caller has more time left. */
const maxSettleMs = 1000;
/** Part of the caller's deadline that is kept for storing the outcome and for the response. */
const settleMarginMs = 200;
/** Part of `settleMarginMs` that is kept for the response. */
const responseMarginMs = 50;

/**
 * Returns the use case. It commits the order as PENDING before it asks the steps. After the commit no failure is returned:
 * an order that cannot be settled in time is returned PENDING, and the settler settles it later. The exception is an order
 * that was lost in a failover: UNAVAILABLE makes the caller place it again.
 *
 * While a step is unavailable it returns PENDING at once. The steps are asked in the background, which doubles as the circuit
 * breaker's probe.
 */
export function createPlaceOrder(dependencies: PlaceOrderDependencies): PlaceOrder {
  const { store, settle, isUnavailable, detach, newId, nowMs } = dependencies;
  return async ({ customerId, requestId, lines, deadlineAtMs }) => {
    requireOneLinePerSku(lines);
    const order = await store.place({
      id: newId(),
      customerId,
      requestId,
      fingerprint: fingerprintOf(lines),
      lines,
    });
    const leftMs = deadlineAtMs - nowMs();
    if (order.state !== 'PENDING' || leftMs <= settleMarginMs) return order;
    if (isUnavailable()) {
      // A lost order has no outcome.
      detach(() => settle(order, { deadlineMs: maxSettleMs, attempts: 0 }).catch(() => {}));
      return order;
    }
    const deadlineMs = Math.min(leftMs - settleMarginMs, maxSettleMs);
    return withTimeout(leftMs - responseMarginMs, settle(order, { deadlineMs, attempts: 0 }), order);
  };
}

/** Returns the result of `work`, or `fallback` after the timeout. A database that hangs must not fail a committed order. */
function withTimeout<T>(timeoutMs: number, work: Promise<T>, fallback: T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, timeoutMs, fallback);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
