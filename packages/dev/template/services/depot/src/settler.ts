// <settle>
import { startWorker, type Worker } from '@acme/postgres/leased-work';
import type { Logger } from '@acme/rpc/logging';
import type { SettleWork } from './settle-spare-part.ts';
import type { SettlementStore } from './settlement-store.ts';

export interface SettlerDependencies {
  readonly store: SettlementStore;
  readonly work: SettleWork;
  // <watch>
  /** Called after a spare part was settled. */
  readonly onSettled: () => void;
  // </watch>
  readonly log: Logger;
}

/** Deadline of one attempt. */
const settleDeadlineMs = 1000;
/** Longer than an attempt. The work of a crashed replica is taken over after this time. */
const leaseMs = 2000;

/** Starts the worker that settles PENDING spare parts. Every replica runs one. */
export function startSettler({
  store,
  work,
  // <watch>
  onSettled,
  // </watch>
  log,
}: SettlerDependencies): Worker {
  return startWorker({
    name: 'settle spare part',
    leases: store,
    attempt: async ({ item }) => {
      await work.run(item, { deadlineMs: settleDeadlineMs });
      await store.markSettled(item.id);
      // <watch>
      onSettled();
      // </watch>
      return true;
    },
    onFailed: ({ item, attempts }, err) =>
      log.warn({ err, spare_part_id: item.id, attempts }, 'spare part stays PENDING, the settler will retry'),
    attributesOf: ({ id }) => ({ 'spare_part.id': id }),
    leaseMs,
    // <calls>
    circuitState: work.circuitState,
    // </calls>
    log,
  });
}
// </settle>
