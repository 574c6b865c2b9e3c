import type { Inventory } from '../inventory/inventory.ts';
import type { Order } from '../order/order.ts';
import type { SettlementStore } from './settlement-store.ts';

/**
 * Reserves the stock of a PENDING order, stores the outcome, and returns the order as it is then. Never throws: an order
 * whose outcome is unknown or cannot be stored stays PENDING, and may be settled again at any time.
 */
export type SettleOrder = (order: Order, options: SettleOptions) => Promise<Order>;

export interface SettleOptions {
  /** Maximum duration of the reserve. */
  readonly deadlineMs: number;
  /** Number of attempts of the settler, including this one. 0 for the call that places the order. */
  readonly attempts: number;
}

/** Called when an order could not be settled. */
export type OnUnsettled = (order: Order, cause: unknown, attempts: number) => void;

export interface SettleOrderDependencies {
  readonly inventory: Inventory;
  readonly store: Pick<SettlementStore, 'settle'>;
  readonly onUnsettled: OnUnsettled;
}

export function createSettleOrder({ inventory, store, onUnsettled }: SettleOrderDependencies): SettleOrder {
  return async (order, { deadlineMs, attempts }) => {
    try {
      const outcome = await inventory.reserve(order.id, order.lines, { deadlineMs });
      switch (outcome.kind) {
        case 'RESERVED':
          return await store.settle(order.id, { state: 'CONFIRMED' });
        case 'REJECTED':
          return await store.settle(order.id, {
            state: 'REJECTED',
            rejection: outcome.rejection,
            needsRelease: outcome.needsRelease,
          });
        case 'UNKNOWN':
          onUnsettled(order, outcome.cause, attempts);
          return order;
      }
    } catch (cause) {
      onUnsettled(order, cause, attempts);
      return order;
    }
  };
}
