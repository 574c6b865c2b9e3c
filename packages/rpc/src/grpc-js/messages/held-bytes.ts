/** A call that holds memory. */
export interface ByteHolder {
  /** Calls of one caller are counted together: the token's subject, or the address of a caller without one. */
  readonly caller: string;
  /** Ends the call, and frees what it holds. */
  evict(): void;
}

/** Bytes that calls hold, in buffers of requests and of responses. */
export interface HeldBytes {
  /** Counts bytes for a call. Evicts calls, this one perhaps among them, while the total is over the limit. */
  hold(holder: ByteHolder, sizeBytes: number): void;
  release(holder: ByteHolder, sizeBytes: number): void;
  /** Releases all that a call holds. */
  releaseAll(holder: ByteHolder): void;
  /** For metrics: bytes held now, and calls evicted since the start. */
  snapshot(): { readonly sizeBytes: number; readonly evicted: number };
}

/** Of one replica with 256 MiB of heap in a container of 512 MiB. */
const defaultLimitBytes = 32 * 1024 * 1024;

/**
 * Bounds the bytes that all calls of a server hold together. Over the limit the caller that holds the most loses its
 * largest call. A limit on the total alone would end the call that comes next, whose caller may hold nothing.
 */
export function createHeldBytes(limitBytes = defaultLimitBytes): HeldBytes {
  const held = new Map<ByteHolder, number>();
  let totalBytes = 0;
  let evicted = 0;

  const releaseAll = (holder: ByteHolder) => {
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
      // An evicted call holds nothing any more.
      if (heldBytes === undefined) return;
      if (heldBytes <= sizeBytes) return releaseAll(holder);
      held.set(holder, heldBytes - sizeBytes);
      totalBytes -= sizeBytes;
    },
    releaseAll,
    snapshot: () => ({ sizeBytes: totalBytes, evicted }),
  };
}

/** The largest call of the caller that holds the most. */
function largestOf(held: ReadonlyMap<ByteHolder, number>): ByteHolder | undefined {
  const byCaller = new Map<string, { sizeBytes: number; largest: ByteHolder; largestBytes: number }>();
  for (const [holder, sizeBytes] of held) {
    const caller = byCaller.get(holder.caller);
    if (!caller) {
      byCaller.set(holder.caller, { sizeBytes, largest: holder, largestBytes: sizeBytes });
      continue;
    }
    caller.sizeBytes += sizeBytes;
    if (sizeBytes > caller.largestBytes) Object.assign(caller, { largest: holder, largestBytes: sizeBytes });
  }
  let most: { sizeBytes: number; largest: ByteHolder } | undefined;
  for (const caller of byCaller.values()) if (!most || caller.sizeBytes > most.sizeBytes) most = caller;
  return most?.largest;
}
