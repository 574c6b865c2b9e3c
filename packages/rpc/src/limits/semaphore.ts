/** Too many wait already, of this key or of all: the work was not begun. */
export class SemaphoreFullError extends Error {
  override readonly name = 'SemaphoreFullError';
}

export interface FairSemaphoreOptions {
  /** Number of pieces of work that run at once. */
  readonly permits: number;
  readonly maxWaiting: number;
  readonly maxWaitingPerKey: number;
}

/**
 * Runs work when a permit is free. Keys take turns: one that has much waiting delays its own work, not that of others.
 *
 * @throws SemaphoreFullError
 */
export type FairSemaphore = <T>(key: string, work: () => Promise<T>) => Promise<T>;

export function createFairSemaphore(options: FairSemaphoreOptions): FairSemaphore {
  const { permits, maxWaiting, maxWaitingPerKey } = options;
  /** The waiting of each key. A key that had its turn goes to the end. */
  const queues = new Map<string, (() => void)[]>();
  let free = permits;
  let waiting = 0;

  const wait = (key: string) => {
    const queue = queues.get(key) ?? [];
    if (waiting >= maxWaiting || queue.length >= maxWaitingPerKey)
      throw new SemaphoreFullError(`${queue.length} of ${waiting} wait for the same key`);
    waiting++;
    queues.set(key, queue);
    return new Promise<void>((resolve) => queue.push(resolve));
  };
  const release = () => {
    const [first] = queues;
    if (!first) {
      free++;
      return;
    }
    const [key, queue] = first;
    const next = queue.shift();
    queues.delete(key);
    if (queue.length > 0) queues.set(key, queue);
    waiting--;
    next?.();
  };
  return async (key, work) => {
    if (free > 0) free--;
    else await wait(key);
    try {
      return await work();
    } finally {
      release();
    }
  };
}
