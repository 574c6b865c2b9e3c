export interface FairSemaphoreOptions {
  /** Number of permits that are held at the same time. */
  readonly permits: number;
  /** Maximum number of waits, of all keys together. Unlimited when absent. */
  readonly maxWaiting?: number;
  /** Maximum number of waits of one key. Unlimited when absent. */
  readonly maxWaitingPerKey?: number;
  /** Maximum wait for a permit, in ms. Unlimited when absent. */
  readonly maxWaitMs?: number;
}

/** Too many waits, in all or of this key, or no permit within `maxWaitMs`. */
export class SemaphoreFullError extends Error {
  override readonly name = 'SemaphoreFullError';
}

export interface FairSemaphore {
  /**
   * Waits for a permit, which is released by disposing it.
   *
   * @throws SemaphoreFullError, or the signal's reason.
   */
  acquire(key: string, signal?: AbortSignal): Promise<Disposable>;
}

/**
 * Returns a semaphore whose permits go to the keys in turn: a key with many waits delays its own work, not that of other
 * keys. Written here because `p-limit` has one unbounded queue for all callers, which one caller can fill.
 */
export function createFairSemaphore(options: FairSemaphoreOptions): FairSemaphore {
  const { permits, maxWaiting = Infinity, maxWaitingPerKey = Infinity, maxWaitMs } = options;
  /** The waits of each key. The first key is next, and then goes to the end. */
  const queues = new Map<string, Set<() => void>>();
  let free = permits;
  let waiting = 0;

  const release = () => {
    const [first] = queues;
    if (!first) {
      free++;
      return;
    }
    const [key, queue] = first;
    const [next] = queue;
    queues.delete(key);
    queues.set(key, queue);
    next?.();
  };
  const wait = (key: string, signal: AbortSignal | undefined) =>
    new Promise<void>((resolve, reject) => {
      const queue = queues.get(key) ?? new Set();
      if (waiting >= maxWaiting || queue.size >= maxWaitingPerKey)
        return reject(
          new SemaphoreFullError(`${waiting} waits are queued, ${queue.size} of them of this key`),
        );
      const settle = (finish: () => void) => {
        waiting--;
        queue.delete(take);
        if (queue.size === 0) queues.delete(key);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        finish();
      };
      const take = () => settle(resolve);
      const onAbort = () => settle(() => reject(signal?.reason));
      const onTimeout = () =>
        settle(() => reject(new SemaphoreFullError(`no permit was free within ${maxWaitMs} ms`)));
      const timer = maxWaitMs === undefined ? undefined : setTimeout(onTimeout, maxWaitMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting++;
      queues.set(key, queue.add(take));
    });

  return {
    acquire: async (key, signal) => {
      signal?.throwIfAborted();
      if (free > 0) free--;
      else await wait(key, signal);
      return { [Symbol.dispose]: release };
    },
  };
}
