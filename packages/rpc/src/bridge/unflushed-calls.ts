/** A call that has ended and whose HTTP/2 stream has not: its caller does not read the answer, or goes on sending. */
export interface UnflushedCall {
  /** Resets the stream, which drops what is buffered. */
  reset(): void;
}

/** The ended calls of a server that wait for their callers. */
export interface UnflushedCalls {
  /** @param resetAtMs In ms since the epoch. */
  add(call: UnflushedCall, resetAtMs: number): void;
  delete(call: UnflushedCall): void;
  close(): void;
}

const sweepEveryMs = 200;

/**
 * Resets calls whose caller has not read the answer by the deadline, or sends on after it. Without it a caller that
 * grants no HTTP/2 window holds its answers in this process for as long as the connection lives.
 */
export function createUnflushedCalls(nowMs: () => number = Date.now): UnflushedCalls {
  /** With the time at which each is reset. */
  const waiting = new Map<UnflushedCall, number>();
  const sweep = () => {
    const now = nowMs();
    for (const [call, resetAtMs] of waiting) {
      if (resetAtMs > now) continue;
      waiting.delete(call);
      call.reset();
    }
  };
  const timer = setInterval(sweep, sweepEveryMs).unref();
  return {
    add: (call, resetAtMs) => waiting.set(call, resetAtMs),
    delete: (call) => waiting.delete(call),
    close: () => clearInterval(timer),
  };
}
