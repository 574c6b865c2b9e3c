/** Counts what callers have in flight. */
export interface Shares {
  total(): number;
  /**
   * Whether the caller may have one more: while the total is below the limit, or the caller would have no more than an
   * equal share of it, or eight. The total stays below `fullFactor` limits.
   */
  hasRoom(caller: string, limit: number, fullFactor: number): boolean;
  add(caller: string): void;
  remove(caller: string): void;
}

/** A caller that has no more than this in flight is not the one that fills a server. */
const smallShare = 8;

export function createShares(): Shares {
  const byCaller = new Map<string, number>();
  let total = 0;
  return {
    total: () => total,
    hasRoom: (caller, limit, fullFactor) => {
      if (total < limit) return true;
      if (total >= limit * fullFactor) return false;
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
