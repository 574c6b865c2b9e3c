import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@acme/rpc/log';
import type { Inventory } from './inventory.ts';
import type { Order } from './order.ts';
import type { SettleOrder } from './settle-order.ts';
import type { SettlementStore } from './settlement-store.ts';

export interface SettlerParts {
  readonly store: SettlementStore;
  readonly settle: SettleOrder;
  readonly inventory: Inventory;
  readonly log: Logger;
}

export interface Settler {
  /** Looks for work now, instead of at the next turn. */
  wake(): void;
  /** Takes nothing more, and waits for what is under way. */
  stop(): Promise<void>;
}

/** Time between two looks for orders that are due. */
const pollMs = 500;
/** Orders worked on at a time. */
const batchSize = 64;
/** How long inventory may take over one order. */
const reserveDeadlineMs = 1000;
/** Longer than an attempt takes. A settler that dies keeps its orders from the others for as long as this. */
const leaseMs = 2000;

/**
 * Finishes what a crash, or an inventory that was away, has left: PENDING orders and owed releases. Any number of
 * replicas may run one. What it does is safe to do twice, so a settler that outlives its lease does no harm.
 */
export function startSettler({ store, settle, inventory, log }: SettlerParts): Settler {
  const stopped = new AbortController();
  let woken = Promise.withResolvers<void>();

  const work = async (order: Order) => {
    try {
      if (order.state === 'PENDING') await settle(order, { deadlineMs: reserveDeadlineMs });
      else {
        await inventory.release(order.id);
        await store.markReleased(order.id);
      }
    } catch (err) {
      log.warn({ err, order_id: order.id, state: order.state }, 'order not settled, will be tried again');
    }
  };
  const turn = async () => {
    const due = await store.takeDue({ limit: batchSize, leaseMs });
    await Promise.all(due.map(work));
    return due.length;
  };
  const run = async () => {
    while (!stopped.signal.aborted) {
      woken = Promise.withResolvers();
      const count = await turn().catch((err: unknown) => {
        log.warn({ err }, 'settler cannot look for due orders');
        return 0;
      });
      if (count === batchSize) continue;
      await Promise.race([
        woken.promise,
        sleep(pollMs, undefined, { signal: stopped.signal }).catch(() => {}),
      ]);
    }
  };
  const running = run();
  return {
    wake: () => woken.resolve(),
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}
