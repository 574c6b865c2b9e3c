import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@acme/rpc/logging/log';
import { inSpan } from '@acme/rpc/telemetry/span';
import type { Inventory } from '../inventory/inventory.ts';
import type { Order } from '../order/order.ts';
import type { SettleOrder } from './settle-order.ts';
import type { DueOrder, SettlementStore } from './settlement-store.ts';

export interface SettlerDependencies {
  readonly store: SettlementStore;
  readonly settle: SettleOrder;
  readonly inventory: Inventory;
  /** How many calls inventory may be asked now: any number, one to find out whether it is back, or none. */
  readonly permits: () => number;
  /** Hears why a release was not done. */
  readonly onUnsettled: (order: Order, cause: unknown, attempts: number) => void;
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
/** Time between two looks at whether inventory may be asked again; they cost no query. */
const awayPollMs = 50;
/** Orders worked on at a time: fewer for an inventory that has just come back, and is cold, and twice as many each turn. */
const batchSize = 64;
const firstBatchSize = 8;
/** How long inventory may take over one order. */
const reserveDeadlineMs = 1000;
/** Longer than an attempt takes. A settler that dies keeps its orders from the others for as long as this. */
const leaseMs = 2000;

/**
 * Finishes what a crash, or an inventory that was away, has left: PENDING orders and owed releases. Any number of
 * replicas may run one. What it does is safe to do twice, so a settler that outlives its lease does no harm.
 *
 * While inventory does not answer it is asked about one order now and then, and no order is the worse for it. Once it
 * is back all that have waited are due at once, and it gets them in batches that grow, and begin anew with a pause when it
 * is too busy for most of one. The few of a batch that it refused come next.
 */
export function startSettler(parts: SettlerDependencies): Settler {
  const { store, settle, inventory, permits, onUnsettled, log } = parts;
  const stopped = new AbortController();
  let woken = Promise.withResolvers<void>();
  let wasAway = false;
  let isBusy = false;
  let limit = batchSize;

  /** Whether nothing is owed to the order any more. */
  const work = async ({ order, attempts }: DueOrder): Promise<boolean> => {
    try {
      if (order.state === 'PENDING')
        return (await settle(order, { deadlineMs: reserveDeadlineMs, attempts })).state !== 'PENDING';
      await inventory.release(order.id);
      await store.markReleased(order.id);
      return true;
    } catch (err) {
      onUnsettled(order, err, attempts);
      return false;
    }
  };
  const probe = async (): Promise<DueOrder[]> => (permits() > 0 ? await store.leaseProbe({ leaseMs }) : []);
  const takeBatch = async (): Promise<DueOrder[]> => {
    if (wasAway) await store.expedite();
    limit = wasAway || isBusy ? firstBatchSize : Math.min(limit * 2, batchSize);
    wasAway = false;
    return await store.leaseDue({ limit, leaseMs });
  };
  const turn = async () => {
    const isAway = permits() < batchSize;
    wasAway ||= isAway;
    const due = isAway ? await probe() : await takeBatch();
    const about = ({ order }: DueOrder) => ({ 'order.id': order.id, 'order.state': order.state });
    const done = await Promise.all(due.map((each) => inSpan('settle order', about(each), () => work(each))));
    const failed = due.filter((_, index) => !done[index]);
    // One order that fails again and again is its own matter; most of a batch is inventory's.
    isBusy = failed.length > due.length / 2;
    // A lease is for settlers that die. When it is inventory's matter the wait is what spares it; and the order that a
    // probe was made with stays behind the others.
    if (failed.length > 0 && !isAway && !isBusy) await store.releaseLeases(failed, { leaseMs });
    return due.length;
  };
  const run = async () => {
    while (!stopped.signal.aborted) {
      woken = Promise.withResolvers();
      const count = await turn().catch((err: unknown) => {
        log.warn({ err }, 'settler cannot look for due orders');
        return 0;
      });
      // There may be more; but an inventory that is too busy would only refuse it, and each refusal makes it wait longer.
      if (count > 0 && !isBusy) continue;
      const pauseMs = permits() === 0 ? awayPollMs : pollMs;
      await Promise.race([
        woken.promise,
        sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => {}),
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
