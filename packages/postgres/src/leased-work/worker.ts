import type { CircuitState } from '@acme/rpc/client';
import type { Logger } from '@acme/rpc/logging';
import { inSpan } from '@acme/rpc/telemetry';
import type { Attributes } from '@opentelemetry/api';
import { createWakeableSleep } from '../timing/wakeable-sleep.ts';
import type { Leased, Leases } from './leases.ts';

export interface WorkerOptions<Item> {
  /** Name of the work in traces and log lines: `settle order`. */
  readonly name: string;
  readonly leases: Leases<Item>;
  /**
   * Attempts the work of an item, and returns whether it is done. Recording the result, which sets the due time to NULL, is
   * part of the attempt. Must be idempotent: a worker that outlives its lease attempts an item that another one has leased.
   */
  readonly attempt: (leased: Leased<Item>) => Promise<boolean>;
  /** Called when an attempt has thrown. */
  readonly onFailed: (leased: Leased<Item>, cause: unknown) => void;
  /** Returns the attributes of an item's span. */
  readonly attributesOf: (item: Item) => Attributes;
  /** Longer than an attempt. The items of a crashed worker are leased by others after this time. */
  readonly leaseMs: number;
  /** Returns the state of the circuit breaker of the service that attempts call. Default: closed, for one that calls none. */
  readonly circuitState?: () => CircuitState;
  readonly log: Logger;
}

export interface Worker {
  /** Polls for due items at once. */
  wake(): void;
  /** Leases no more items, and resolves when the attempts in progress have ended. */
  stop(): Promise<void>;
}

/** Interval of the query for due items. */
const pollMs = 500;
/** Interval of the check whether a probe is due while the circuit is open. It needs no query. */
const probePollMs = 50;
/** Maximum number of items that are attempted concurrently. */
const batchSize = 64;
/** Size of the first batch after the called service was unavailable or overloaded. It doubles with each turn. */
const firstBatchSize = 8;

/**
 * Starts a worker that attempts the due items of a table, after a crash or while the service that attempts call was
 * unavailable. Every replica may run one.
 *
 * While the circuit is open, the worker makes one probe at a time, which does not count as an attempt. When the circuit is
 * closed again, all waiting items become due at once. Batches start small and grow. If most of a batch fails, the worker
 * pauses and starts small again. If only a few fail, their leases are given back, so that only their backoff delays them.
 */
export function startWorker<Item>(options: WorkerOptions<Item>): Worker {
  const { name, leases, attempt, onFailed, attributesOf, leaseMs, log } = options;
  const { circuitState = () => 'closed' } = options;
  const idle = createWakeableSleep();
  let isStopped = false;
  let wasUnavailable = false;
  let isOverloaded = false;
  let limit = batchSize;

  /** Attempts an item in a span, which an error marks as failed. */
  const isDone = (leased: Leased<Item>): Promise<boolean> =>
    inSpan(name, attributesOf(leased.item), async () => {
      try {
        return await attempt(leased);
      } catch (cause) {
        onFailed(leased, cause);
        throw cause;
      }
    }).catch(() => false);
  const probe = async (): Promise<Leased<Item>[]> =>
    circuitState() === 'probe-due' ? await leases.leaseProbe({ leaseMs }) : [];
  const leaseBatch = async (): Promise<Leased<Item>[]> => {
    if (wasUnavailable) await leases.expedite();
    limit = wasUnavailable || isOverloaded ? firstBatchSize : Math.min(limit * 2, batchSize);
    wasUnavailable = false;
    return await leases.leaseDue({ limit, leaseMs });
  };
  const turn = async () => {
    const isUnavailable = circuitState() !== 'closed';
    wasUnavailable ||= isUnavailable;
    const due = isUnavailable ? await probe() : await leaseBatch();
    const done = await Promise.all(due.map(isDone));
    const failed = due.filter((_, index) => !done[index]);
    // A single failure can be specific to its item. Most of a batch points to an overloaded service.
    isOverloaded = failed.length > due.length / 2;
    // Leases guard against crashed workers. If the service is overloaded, the rest of the lease spares it. The item of a
    // failed probe keeps its lease too, so that the next probe uses another one.
    if (failed.length > 0 && !isUnavailable && !isOverloaded) await leases.giveBack(failed, { leaseMs });
    return due.length;
  };
  const run = async () => {
    while (!isStopped) {
      const count = await turn().catch((err: unknown) => {
        log.warn({ err }, `${name}: due work cannot be queried`);
        return 0;
      });
      // More items may be due. An overloaded service would reject them, and each attempt would raise their backoff.
      if (count > 0 && !isOverloaded) continue;
      await idle.sleep(circuitState() === 'open' ? probePollMs : pollMs);
    }
  };
  const running = run();
  return {
    wake: idle.wake,
    stop: async () => {
      isStopped = true;
      idle.wake();
      await running;
    },
  };
}
