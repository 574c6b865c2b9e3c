/** A call that holds buffers. */
export interface MemoryHolder {
  /** Key by which bytes are summed: the principal's subject, or the address and port of the connection without one. */
  readonly caller: string;
  /** Ends the call and frees its buffers. */
  evict(): void;
}

/** The bytes that calls hold in request and response buffers. */
export interface MemoryBudget {
  /** Adds bytes to a call. Evicts calls, possibly this one, while the total exceeds the limit. */
  hold(holder: MemoryHolder, sizeBytes: number): void;
  release(holder: MemoryHolder, sizeBytes: number): void;
  /** Releases all bytes of a call. */
  releaseAll(holder: MemoryHolder): void;
  /** Returns the bytes held now and the calls evicted since the start, for metrics. */
  snapshot(): { readonly sizeBytes: number; readonly evicted: number };
}

/** For a replica with 256 MiB of heap in a container of 512 MiB. */
export const defaultMemoryBudgetBytes = 32 * 1024 * 1024;

/**
 * Creates a limit of the bytes that all calls of a server hold together. Above the limit, the largest call of the caller
 * that holds the most is evicted. Rejecting the next call instead would punish a caller that may hold nothing.
 */
export function createMemoryBudget(limitBytes = defaultMemoryBudgetBytes): MemoryBudget {
  const held = new Map<MemoryHolder, number>();
  let totalBytes = 0;
  let evicted = 0;

  const releaseAll = (holder: MemoryHolder) => {
    totalBytes -= held.get(holder) ?? 0;
    held.delete(holder);
  };
  const evictLargest = () => {
    const largest = largestOf(held);
    if (!largest) return;
    releaseAll(largest);
    evicted++;
    largest.evict();
  };
  return {
    hold: (holder, sizeBytes) => {
      held.set(holder, (held.get(holder) ?? 0) + sizeBytes);
      totalBytes += sizeBytes;
      while (totalBytes > limitBytes) evictLargest();
    },
    release: (holder, sizeBytes) => {
      const heldBytes = held.get(holder);
      // The call was evicted, which released its bytes.
      if (heldBytes === undefined) return;
      if (heldBytes <= sizeBytes) return releaseAll(holder);
      held.set(holder, heldBytes - sizeBytes);
      totalBytes -= sizeBytes;
    },
    releaseAll,
    snapshot: () => ({ sizeBytes: totalBytes, evicted }),
  };
}

/** Returns the largest call of the caller that holds the most. */
function largestOf(held: ReadonlyMap<MemoryHolder, number>): MemoryHolder | undefined {
  const byCaller = new Map<string, { sizeBytes: number; largest: MemoryHolder; largestBytes: number }>();
  for (const [holder, sizeBytes] of held) {
    const caller = byCaller.get(holder.caller);
    if (!caller) {
      byCaller.set(holder.caller, { sizeBytes, largest: holder, largestBytes: sizeBytes });
      continue;
    }
    caller.sizeBytes += sizeBytes;
    if (sizeBytes > caller.largestBytes) Object.assign(caller, { largest: holder, largestBytes: sizeBytes });
  }
  let most: { sizeBytes: number; largest: MemoryHolder } | undefined;
  for (const caller of byCaller.values()) if (!most || caller.sizeBytes > most.sizeBytes) most = caller;
  return most?.largest;
}
