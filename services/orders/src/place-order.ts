import { fingerprintOf, type Order, type OrderLine, requireOneLinePerSku } from './order/order.ts';
import type { OrderStore } from './order/order-store.ts';
import type { SettleOrder } from './settling/settle-order.ts';

export interface PlaceOrderCommand {
  readonly customerId: string;
  readonly requestId: string;
  readonly lines: readonly OrderLine[];
  /** When the caller must have its answer, in ms since the epoch. */
  readonly deadline: number;
}

/** Places an order once for a request id; the order as it stands when the answer is due. */
export type PlaceOrder = (command: PlaceOrderCommand) => Promise<Order>;

export interface PlaceOrderDependencies {
  readonly store: Pick<OrderStore, 'place'>;
  readonly settle: SettleOrder;
  /** Whether inventory does not answer at the moment. */
  readonly isInventoryUnavailable: () => boolean;
  /** Runs what must not end with the call. */
  readonly detach: (work: () => Promise<unknown>) => void;
  readonly newId: () => string;
  /** Wall clock, in ms since the epoch. */
  readonly nowMs: () => number;
}

/** How long inventory may take at the most, whatever time the caller has. */
const longestReserveMs = 1000;
/** Kept back from the deadline for writing the outcome down and answering. */
const answerReserveMs = 200;
/** Of that, kept back for answering. */
const replyMs = 50;

/**
 * PENDING is durable before inventory hears of the order. From then on nothing is an error any more: what cannot be
 * settled in time is answered PENDING, and the settler finishes it. While inventory is away nobody waits for it: the
 * question is put all the same, because one of them finds out that it is back.
 */
export function createPlaceOrder(parts: PlaceOrderDependencies): PlaceOrder {
  const { store, settle, isInventoryUnavailable, detach, newId, nowMs } = parts;
  return async ({ customerId, requestId, lines, deadline }) => {
    requireOneLinePerSku(lines);
    const order = await store.place({
      id: newId(),
      customerId,
      requestId,
      fingerprint: fingerprintOf(lines),
      lines,
    });
    const leftMs = deadline - nowMs();
    if (order.state !== 'PENDING' || leftMs <= answerReserveMs) return order;
    if (isInventoryUnavailable()) {
      detach(() => settle(order, { deadlineMs: longestReserveMs, attempts: 0 }));
      return order;
    }
    const deadlineMs = Math.min(leftMs - answerReserveMs, longestReserveMs);
    return within(leftMs - replyMs, settle(order, { deadlineMs, attempts: 0 }), order);
  };
}

/** What the work comes to, or `otherwise` when it takes longer: a database that hangs is no reason for an error. */
function within<T>(timeoutMs: number, work: Promise<T>, otherwise: T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, timeoutMs, otherwise);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
