import { startWorker, type Worker } from '@acme/postgres/leased-work';
import type { Logger } from '@acme/rpc/logging';
import { annotateSpan } from '@acme/rpc/telemetry';
import { circuitStateOf, type Step, undoAll } from '../steps/step.ts';
import type { OnUnsettled, SettleOrder } from './settle-order.ts';
import type { SettlementStore } from './settlement-store.ts';

export interface SettlerDependencies {
  readonly store: SettlementStore;
  readonly settle: SettleOrder;
  readonly steps: readonly Step[];
  /** Called when a step could not be undone. */
  readonly onUnsettled: OnUnsettled;
  readonly log: Logger;
}

/** Deadline of all steps of one order together. */
const settleDeadlineMs = 1000;
/** Longer than an attempt. The orders of a crashed settler are settled by others after this time. */
const leaseMs = 2000;

/** Starts the worker that settles PENDING orders, and undoes the steps of cancelled and rejected ones. Every replica runs one. */
export function startSettler(dependencies: SettlerDependencies): Worker {
  const { store, settle, steps, onUnsettled, log } = dependencies;
  return startWorker({
    name: 'settle order',
    leases: store,
    attempt: async ({ item: order, attempts }) => {
      if (order.state === 'PENDING') {
        const { state } = await settle(order, { deadlineMs: settleDeadlineMs, attempts });
        annotateSpan({ 'order.state': state });
        return state !== 'PENDING';
      }
      await undoAll(steps, order);
      await store.markUndone(order.id);
      return true;
    },
    onFailed: ({ item, attempts }, cause) => onUnsettled(item, cause, attempts),
    attributesOf: ({ id, state }) => ({ 'order.id': id, 'order.state': state }),
    leaseMs,
    circuitState: () => circuitStateOf(steps),
    log,
  });
}
