/** Waits for one of a number of slots, which is released by disposing it. Throws `SlotsBusyError` and the signal's reason. */
export type TakeSlot = (caller: string, signal: AbortSignal) => Promise<Disposable>;

/** No slot was released to the caller in time. */
export class SlotsBusyError extends Error {
  override name = 'SlotsBusyError';
}

/**
 * Shares `count` slots between callers in turn: a caller that waits for many at once gets one, and then each of the others
 * that wait gets one before it gets the next.
 *
 * @param maxWaitMs Maximum wait for a slot.
 */
export function createSlots({ count, maxWaitMs }: { count: number; maxWaitMs: number }): TakeSlot {
  let free = count;
  /** The waits of each caller. The first caller is next. */
  const waiting = new Map<string, Set<() => void>>();

  const release = () => {
    for (const [caller, queue] of waiting) {
      const [next] = queue;
      waiting.delete(caller);
      if (!next) continue;
      queue.delete(next);
      if (queue.size > 0) waiting.set(caller, queue);
      return next();
    }
    free++;
  };
  const wait = (caller: string, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const queue = waiting.getOrInsertComputed(caller, () => new Set());
      const settle = (finish: () => void) => {
        queue.delete(take);
        if (queue.size === 0 && waiting.get(caller) === queue) waiting.delete(caller);
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        finish();
      };
      const take = () => settle(resolve);
      const onAbort = () => settle(() => reject(signal.reason));
      const timer = setTimeout(
        () => settle(() => reject(new SlotsBusyError(`no slot was free within ${maxWaitMs} ms`))),
        maxWaitMs,
      );
      signal.addEventListener('abort', onAbort, { once: true });
      queue.add(take);
    });

  return async (caller, signal) => {
    signal.throwIfAborted();
    if (free > 0) free--;
    else await wait(caller, signal);
    return { [Symbol.dispose]: release };
  };
}
