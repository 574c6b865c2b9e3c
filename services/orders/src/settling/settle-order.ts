import type { Inventory } from '../inventory/inventory.ts';
import type { Order } from '../order/order.ts';
import type { SettlementStore } from './settlement-store.ts';

/**
 * Asks inventory about a PENDING order and writes down what it says; the order as it stands then. Never throws: what
 * cannot be found out or written now leaves the order PENDING, and can be tried again any time.
 */
export type SettleOrder = (order: Order, options: SettleOptions) => Promise<Order>;

export interface SettleOptions {
  /** How long inventory may take over its answer. */
  readonly deadlineMs: number;
  /** How often the settler has had the order, this time included; 0 for the call that places it. */
  readonly attempts: number;
}

export interface SettleOrderDependencies {
  readonly inventory: Inventory;
  readonly store: Pick<SettlementStore, 'settle'>;
  /** Hears why an order stays PENDING. */
  readonly onUnsettled: (order: Order, cause: unknown, attempts: number) => void;
}

export function createSettleOrder({ inventory, store, onUnsettled }: SettleOrderDependencies): SettleOrder {
  return async (order, { deadlineMs, attempts }) => {
    try {
      const answer = await inventory.reserve(order.id, order.lines, { deadlineMs });
      switch (answer.kind) {
        case 'RESERVED':
          return await store.settle(order.id, { state: 'CONFIRMED' });
        case 'REFUSED':
          return await store.settle(order.id, {
            state: 'REJECTED',
            rejection: answer.rejection,
            needsRelease: answer.needsRelease,
          });
        case 'UNKNOWN':
          onUnsettled(order, answer.cause, attempts);
          return order;
      }
    } catch (cause) {
      onUnsettled(order, cause, attempts);
      return order;
    }
  };
}
