/** A limit of bytes per second and caller. */
export interface LeakyBuckets {
  /** Returns the time in ms until the caller may take more; 0 means now. */
  waitMs(caller: string): number;
  take(caller: string, sizeBytes: number): void;
  /** Puts back bytes that were taken and not used. */
  refund(caller: string, sizeBytes: number): void;
}

/** Number of callers above which empty buckets are dropped. */
const maxCallers = 10_000;

/**
 * Creates one leaky bucket per caller. Its capacity is one second's bytes.
 *
 * @param nowMs A clock that only moves forward, in ms.
 */
export function createLeakyBuckets(
  bytesPerSecond: number,
  nowMs: () => number = () => performance.now(),
): LeakyBuckets {
  /** The time at which each caller's bucket is empty. */
  const emptyAtMs = new Map<string, number>();
  const msOf = (sizeBytes: number) => (sizeBytes / bytesPerSecond) * 1000;

  const dropEmpty = () => {
    const now = nowMs();
    for (const [caller, atMs] of emptyAtMs) if (atMs <= now) emptyAtMs.delete(caller);
  };
  return {
    waitMs: (caller) => Math.max((emptyAtMs.get(caller) ?? 0) - nowMs() - 1000, 0),
    take: (caller, sizeBytes) => {
      if (emptyAtMs.size >= maxCallers) dropEmpty();
      emptyAtMs.set(caller, Math.max(emptyAtMs.get(caller) ?? 0, nowMs()) + msOf(sizeBytes));
    },
    refund: (caller, sizeBytes) => {
      const atMs = emptyAtMs.get(caller);
      if (atMs !== undefined) emptyAtMs.set(caller, atMs - msOf(sizeBytes));
    },
  };
}
