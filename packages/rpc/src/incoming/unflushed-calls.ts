/** An ended call whose HTTP/2 stream is open: its caller has not read the answer, or still sends. */
export interface UnflushedCall {
  /** Its place in the list, which the list sets; undefined outside of it. */
  unflushed: UnflushedPlace | undefined;
  /** Resets the stream, which drops its buffers. */
  reset(): void;
}

interface UnflushedPlace {
  readonly resetAtMs: number;
  index: number;
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
  /** Not a Map: every rehash of one leaves a table that keeps its calls in memory until the next full collection. */
  const waiting: UnflushedCall[] = [];
  /** Runs while there are calls, and stops at the next sweep without any. */
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
  };
  const remove = (call: UnflushedCall) => {
    const last = waiting.at(-1);
    if (!call.unflushed || !last?.unflushed) return;
    // The last call takes the free place.
    waiting[call.unflushed.index] = last;
    last.unflushed.index = call.unflushed.index;
    waiting.pop();
    call.unflushed = undefined;
  };
  const sweep = () => {
    const now = nowMs();
    if (waiting.length === 0) stop();
    for (const call of waiting.filter(({ unflushed }) => unflushed && unflushed.resetAtMs <= now)) {
      remove(call);
      call.reset();
    }
  };
  return {
    add: (call, resetAtMs) => {
      remove(call);
      call.unflushed = { resetAtMs, index: waiting.length };
      waiting.push(call);
      timer ??= setInterval(sweep, sweepEveryMs).unref();
    },
    delete: remove,
    close: stop,
  };
}
