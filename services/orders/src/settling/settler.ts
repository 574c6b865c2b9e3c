import { startWorker, type Worker } from '@acme/postgres/leased-work';
import type { CircuitState } from '@acme/rpc/client';
import type { Logger } from '@acme/rpc/logging';
import type { Inventory } from '../inventory/inventory.ts';
import type { OnUnsettled, SettleOrder } from './settle-order.ts';
import type { SettlementStore } from './settlement-store.ts';

export interface SettlerDependencies {
  readonly store: SettlementStore;
  readonly settle: SettleOrder;
  readonly inventory: Inventory;
  /** Returns the state of the circuit breaker of inventory. */
  readonly circuitState: () => CircuitState;
  /** Called when a release failed. */
  readonly onUnsettled: OnUnsettled;
  readonly log: Logger;
}

/** Deadline of the reserve of one order. */
const reserveDeadlineMs = 1000;
/** Longer than an attempt. The orders of a crashed settler are settled by others after this time. */
const leaseMs = 2000;

/** Starts the worker that settles PENDING orders and releases stock. Every replica runs one. */
export function startSettler(dependencies: SettlerDependencies): Worker {
  const { store, settle, inventory, circuitState, onUnsettled, log } = dependencies;
  return startWorker({
    name: 'settle order',
    leases: store,
    attempt: async ({ item: order, attempts }) => {
      if (order.state === 'PENDING')
        return (await settle(order, { deadlineMs: reserveDeadlineMs, attempts })).state !== 'PENDING';
      await inventory.release(order.id);
      await store.markReleased(order.id);
      return true;
    },
    onFailed: ({ item, attempts }, cause) => onUnsettled(item, cause, attempts),
    attributesOf: ({ id, state }) => ({ 'order.id': id, 'order.state': state }),
    leaseMs,
    circuitState,
    log,
  });
}
