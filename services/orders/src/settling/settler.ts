import { setTimeout as sleep } from 'node:timers/promises';
import type { CircuitState } from '@acme/rpc/client';
import type { Logger } from '@acme/rpc/logging';
import { inSpan } from '@acme/rpc/telemetry';
import type { Inventory } from '../inventory/inventory.ts';
import type { OnUnsettled, SettleOrder } from './settle-order.ts';
import type { DueOrder, SettlementStore } from './settlement-store.ts';

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

export interface Settler {
  /** Polls for due orders at once. */
  wake(): void;
  /** Leases no more orders, and resolves when the attempts in progress have ended. */
  stop(): Promise<void>;
}

/** Interval of the query for due orders. */
const pollMs = 500;
/** Interval of the check whether a probe is due while inventory is unavailable. It needs no query. */
const probePollMs = 50;
/** Maximum number of orders that are settled concurrently. */
const batchSize = 64;
/** Size of the first batch after inventory was unavailable or overloaded. It doubles with each turn. */
const firstBatchSize = 8;
/** Deadline of the reserve of one order. */
const reserveDeadlineMs = 1000;
/** Longer than an attempt. The orders of a crashed settler are settled by others after this time. */
const leaseMs = 2000;

/**
 * Starts a settler: it settles PENDING orders and releases stock, after a crash or while inventory was unavailable. Every
 * replica may run one. Each attempt is idempotent, so a settler that outlives its lease does no harm.
 *
 * While inventory is unavailable, the settler sends one probe at a time, which does not count as an attempt. When inventory
 * is back, all waiting orders become due at once. Batches start small and grow. If most of a batch fails, the settler
 * pauses and starts small again. If only a few fail, their leases are released, so that only their backoff delays them.
 */
export function startSettler(dependencies: SettlerDependencies): Settler {
  const { store, settle, inventory, circuitState, onUnsettled, log } = dependencies;
  const stopped = new AbortController();
  let woken = Promise.withResolvers<void>();
  let wasUnavailable = false;
  let isOverloaded = false;
  let limit = batchSize;

  /** Returns whether the order is settled and needs no release. */
  const attempt = async ({ order, attempts }: DueOrder): Promise<boolean> => {
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
  const probe = async (): Promise<DueOrder[]> =>
    circuitState() === 'probe-due' ? await store.leaseProbe({ leaseMs }) : [];
  const leaseBatch = async (): Promise<DueOrder[]> => {
    if (wasUnavailable) await store.expedite();
    limit = wasUnavailable || isOverloaded ? firstBatchSize : Math.min(limit * 2, batchSize);
    wasUnavailable = false;
    return await store.leaseDue({ limit, leaseMs });
  };
  const turn = async () => {
    const isUnavailable = circuitState() !== 'closed';
    wasUnavailable ||= isUnavailable;
    const due = isUnavailable ? await probe() : await leaseBatch();
    const attributesOf = ({ order }: DueOrder) => ({ 'order.id': order.id, 'order.state': order.state });
    const done = await Promise.all(
      due.map((each) => inSpan('settle order', attributesOf(each), () => attempt(each))),
    );
    const failed = due.filter((_, index) => !done[index]);
    // A single failure can be specific to its order. Most of a batch points to an overloaded inventory.
    isOverloaded = failed.length > due.length / 2;
    // Leases guard against crashed settlers. If inventory is overloaded, the rest of the lease spares it. The order of a
    // failed probe keeps its lease too, so that the next probe uses another one.
    if (failed.length > 0 && !isUnavailable && !isOverloaded) await store.releaseLeases(failed, { leaseMs });
    return due.length;
  };
  const run = async () => {
    while (!stopped.signal.aborted) {
      woken = Promise.withResolvers();
      const count = await turn().catch((err: unknown) => {
        log.warn({ err }, 'settler cannot query due orders');
        return 0;
      });
      // More orders may be due. An overloaded inventory would reject them, and each attempt would raise their backoff.
      if (count > 0 && !isOverloaded) continue;
      const pauseMs = circuitState() === 'open' ? probePollMs : pollMs;
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
