/** Bounds the bytes that each caller has processed in a second. */
export interface Pace {
  /** Time in ms until the caller may take more; 0: now. */
  waitMs(caller: string): number;
  take(caller: string, sizeBytes: number): void;
  /** Returns what was taken and turned out not to be needed. */
  giveBack(caller: string, sizeBytes: number): void;
}

/** Callers that are remembered; those that may take all they want again are forgotten first. */
const maxCallers = 10_000;

/**
 * Creates a leaky bucket for each caller, of a second's bytes.
 *
 * @param nowMs A clock that only moves forward, in ms.
 */
export function createPace(bytesPerSecond: number, nowMs: () => number = () => performance.now()): Pace {
  /** When the bucket of each caller is empty. */
  const emptyAtMs = new Map<string, number>();
  const msOf = (sizeBytes: number) => (sizeBytes / bytesPerSecond) * 1000;

  const forgetEmpty = () => {
    const now = nowMs();
    for (const [caller, atMs] of emptyAtMs) if (atMs <= now) emptyAtMs.delete(caller);
  };
  return {
    waitMs: (caller) => Math.max((emptyAtMs.get(caller) ?? 0) - nowMs() - 1000, 0),
    take: (caller, sizeBytes) => {
      if (emptyAtMs.size >= maxCallers) forgetEmpty();
      emptyAtMs.set(caller, Math.max(emptyAtMs.get(caller) ?? 0, nowMs()) + msOf(sizeBytes));
    },
    giveBack: (caller, sizeBytes) => {
      const atMs = emptyAtMs.get(caller);
      if (atMs !== undefined) emptyAtMs.set(caller, atMs - msOf(sizeBytes));
    },
  };
}
