import { fingerprintOf, type Order, type OrderLine, requireOneLinePerSku } from './order.ts';
import type { OrderStore } from './order-store.ts';
import type { SettleOrder } from './settle-order.ts';

export interface PlaceOrderCommand {
  readonly customerId: string;
  readonly requestId: string;
  readonly lines: readonly OrderLine[];
  /** When the caller must have its answer, in ms since the epoch. */
  readonly deadline: number;
}

/** Places an order once for a request id; the order as it stands when the answer is due. */
export type PlaceOrder = (command: PlaceOrderCommand) => Promise<Order>;

export interface PlaceOrderParts {
  readonly store: Pick<OrderStore, 'place'>;
  readonly settle: SettleOrder;
  readonly newId: () => string;
  /** Wall clock, in ms since the epoch. */
  readonly nowMs: () => number;
}

/** Kept back from the deadline for writing the outcome down and answering. */
const answerReserveMs = 200;

/**
 * PENDING is durable before inventory hears of the order. From then on nothing is an error any more: what cannot be
 * settled in time is answered PENDING, and the settler finishes it.
 */
export function createPlaceOrder({ store, settle, newId, nowMs }: PlaceOrderParts): PlaceOrder {
  return async ({ customerId, requestId, lines, deadline }) => {
    requireOneLinePerSku(lines);
    const order = await store.place({
      id: newId(),
      customerId,
      requestId,
      fingerprint: fingerprintOf(lines),
      lines,
    });
    const deadlineMs = deadline - nowMs() - answerReserveMs;
    return order.state === 'PENDING' && deadlineMs > 0 ? settle(order, { deadlineMs }) : order;
  };
}
