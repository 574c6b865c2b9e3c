import {
  needsCancelling,
  type Order,
  OrderError,
  pendingOrder,
  type Settlement,
} from '@acme/orders/order/order';
import type { NewOrder } from '@acme/orders/order/placement-store';
import type { Random } from '../harness/seeded-random.ts';

export interface StoredOrder {
  order: Order;
  readonly requestId: string;
  readonly fingerprint: Buffer;
  /** When the settler attempts it. Undefined once it is settled and undone. */
  dueMs: number | undefined;
  attempts: number;
}

/** The database of an orders cell in memory. Each function is a transaction, as the stores of orders run it. */
export interface OrdersData {
  readonly orders: ReadonlyMap<string, StoredOrder>;
  place(order: NewOrder): Order;
  settle(id: string, settlement: Settlement): Order;
  cancel(id: string): Order;
  /** Leases the due orders. */
  leaseDue(): Order[];
  markUndone(id: string): void;
}

/** As in `app.ts`, `settler.ts` and `leases.ts`. */
const settleGraceMs = 2500;
const leaseMs = 2000;
const firstBackoffMs = 250;
const maxBackoffMs = 8000;

export function openOrdersData(nowMs: () => number, random: Random): OrdersData {
  const orders = new Map<string, StoredOrder>();
  const idsByRequest = new Map<string, string>();
  const get = (id: string): StoredOrder => {
    const stored = orders.get(id);
    if (!stored) throw new OrderError({ kind: 'ORDER_NOT_FOUND', id });
    return stored;
  };
  const change = (stored: StoredOrder, changes: Partial<Order>) => {
    stored.order = { ...stored.order, ...changes, version: stored.order.version + 1n };
    return stored.order;
  };
  return {
    orders,
    place: (placed) => {
      const { id, customerId, requestId, fingerprint } = placed;
      const request = `${customerId} ${requestId}`;
      const earlier = orders.get(idsByRequest.get(request) ?? '');
      if (earlier && !earlier.fingerprint.equals(fingerprint))
        throw new OrderError({ kind: 'REQUEST_ID_REUSED', requestId, orderId: earlier.order.id });
      if (earlier) return earlier.order;
      idsByRequest.set(request, id);
      const order = pendingOrder(placed, new Date(0));
      orders.set(id, { order, requestId, fingerprint, dueMs: nowMs() + settleGraceMs, attempts: 0 });
      return order;
    },
    settle: (id, settlement) => {
      const stored = get(id);
      if (stored.order.state !== 'PENDING') return stored.order;
      if (settlement.state === 'CONFIRMED') {
        stored.dueMs = undefined;
        return change(stored, { state: 'CONFIRMED' });
      }
      stored.dueMs = settlement.needsUndo ? nowMs() : undefined;
      return change(stored, { state: 'REJECTED', rejection: settlement.rejection });
    },
    cancel: (id) => {
      const stored = get(id);
      if (!needsCancelling(stored.order, '')) return stored.order;
      Object.assign(stored, { dueMs: nowMs(), attempts: 0 });
      return change(stored, { state: 'CANCELLED' });
    },
    leaseDue: () => {
      const due = [...orders.values()].filter(({ dueMs = Infinity }) => dueMs <= nowMs());
      for (const stored of due) {
        const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** stored.attempts++);
        stored.dueMs = nowMs() + leaseMs + random.next() * backoffMs;
      }
      return due.map(({ order }) => order);
    },
    markUndone: (id) => {
      const stored = get(id);
      if (['CANCELLED', 'REJECTED'].includes(stored.order.state)) stored.dueMs = undefined;
    },
  };
}
