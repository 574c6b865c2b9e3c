/** An ended call whose HTTP/2 stream is open: its caller has not read the answer, or still sends. */
export interface UnflushedCall {
  /** Resets the stream, which drops its buffers. */
  reset(): void;
}

/** The ended calls of a server whose streams are open. */
export interface UnflushedCalls {
  /** @param resetAtMs In ms since the epoch. */
  add(call: UnflushedCall, resetAtMs: number): void;
  delete(call: UnflushedCall): void;
  close(): void;
}

const sweepEveryMs = 200;

/**
 * Resets calls whose caller has not read the answer by the deadline, or still sends after it. Otherwise a caller that
 * grants no HTTP/2 window would keep its answers in the memory of this process while the connection lives.
 */
export function createUnflushedCalls(nowMs: () => number = Date.now): UnflushedCalls {
  /** The time at which each call is reset. */
  const waiting = new Map<UnflushedCall, number>();
  /** Runs while there are calls, and stops at the next sweep without any. */
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
  };
  const sweep = () => {
    const now = nowMs();
    if (waiting.size === 0) stop();
    for (const [call, resetAtMs] of waiting) {
      if (resetAtMs > now) continue;
      waiting.delete(call);
      call.reset();
    }
  };
  return {
    add: (call, resetAtMs) => {
      waiting.set(call, resetAtMs);
      timer ??= setInterval(sweep, sweepEveryMs).unref();
    },
    delete: (call) => waiting.delete(call),
    close: stop,
  };
}
