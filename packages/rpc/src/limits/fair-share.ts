/** Counts of calls or streams in flight, by caller. */
export interface FairShare {
  total(): number;
  /**
   * Returns whether the caller may have one more: the total is below the limit, or the caller would have no more than
   * an equal share of it, or no more than eight. The total stays below `limit * overcommitFactor`.
   */
  hasRoom(caller: string, limit: number, overcommitFactor: number): boolean;
  add(caller: string): void;
  remove(caller: string): void;
}

/** Multiple of the limit of open streams up to which callers that have less than their share are admitted. */
export const streamOvercommitFactor = 1.25;

/** Number in flight that a caller may have on a full server, whatever its share is. */
const smallShare = 8;

export function createFairShare(): FairShare {
  const byCaller = new Map<string, number>();
  let total = 0;
  return {
    total: () => total,
    hasRoom: (caller, limit, overcommitFactor) => {
      if (total < limit) return true;
      if (total >= limit * overcommitFactor) return false;
      const own = byCaller.get(caller);
      const callers = byCaller.size + (own === undefined ? 1 : 0);
      return (own ?? 0) + 1 <= Math.max(limit / callers, Math.min(limit, smallShare));
    },
    add: (caller) => {
      total++;
      byCaller.set(caller, (byCaller.get(caller) ?? 0) + 1);
    },
    remove: (caller) => {
      total--;
      const left = (byCaller.get(caller) ?? 0) - 1;
      if (left > 0) byCaller.set(caller, left);
      else byCaller.delete(caller);
    },
  };
}
