/** A call that has ended and whose HTTP/2 stream has not: its caller does not read the answer, or goes on sending. */
export interface UnflushedCall {
  /** Resets the stream, which drops what is buffered. */
  reset(): void;
}

/** The ended calls of a server that wait for their callers. */
export interface UnflushedCalls {
  /** @param deadline When the caller must have read the answer, in ms since the epoch. It has 2 s more. */
  add(call: UnflushedCall, deadline: number): void;
  delete(call: UnflushedCall): void;
  close(): void;
}

/** Time for the rest of an answer to reach the caller after the deadline. */
const graceMs = 2000;
const sweepEveryMs = 1000;

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
    add: (call, deadline) => waiting.set(call, Math.max(deadline, nowMs()) + graceMs),
    delete: (call) => waiting.delete(call),
    close: () => clearInterval(timer),
  };
}
