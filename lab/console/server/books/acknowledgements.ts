import type { Acknowledgement } from '@acme/lab/harness/invariants';

/** The last acknowledged orders, which are checked soon, and again in turn: a database may lose an order later. */
export interface Acknowledgements {
  /** Number of acknowledged orders since the start, of which the last 20,000 are kept. */
  readonly count: number;
  add(acknowledgement: Acknowledgement): void;
  /** Returns those to check next: the new ones, and some of those whose last check is the longest ago. */
  next(): readonly Acknowledgement[];
  /** Marks those that `next` returned as checked. */
  checked(acknowledgements: readonly Acknowledgement[]): void;
}

const maxKept = 20_000;
/** New ones that wait for a check. Beyond it, the oldest are not checked. */
const maxNew = 20_000;
const newPerCheck = 2000;
const oldPerCheck = 500;

export function createAcknowledgements(): Acknowledgements {
  /** The latest of each order, the one whose check is the longest ago first. */
  const kept = new Map<string, Acknowledgement>();
  const fresh = new Set<Acknowledgement>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    add: (acknowledgement) => {
      if (!kept.has(acknowledgement.orderId)) count++;
      keepLast(kept, acknowledgement);
      fresh.add(acknowledgement);
      if (fresh.size > maxNew) fresh.delete(fresh.values().next().value as Acknowledgement);
    },
    next: () => [...fresh.values().take(newPerCheck), ...kept.values().take(oldPerCheck)],
    checked: (acknowledgements) => {
      for (const each of acknowledgements) {
        fresh.delete(each);
        if (kept.get(each.orderId) === each) keepLast(kept, each);
      }
    },
  };
}

function keepLast(kept: Map<string, Acknowledgement>, acknowledgement: Acknowledgement): void {
  kept.delete(acknowledgement.orderId);
  kept.set(acknowledgement.orderId, acknowledgement);
  if (kept.size > maxKept) kept.delete(kept.keys().next().value as string);
}
