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
  /** Runs while there are calls, and to its next turn. */
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
