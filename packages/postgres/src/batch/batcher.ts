import { createBatchRunner, type QueuedItem, type RunBatch } from '@acme/rpc/telemetry';
import { isUnavailable, QueueFullError } from '../errors/database-errors.ts';

/** Maximum bytes of a batch and of the queue, if items have a size. A larger item is a batch by itself. */
export const batchBytes = { run: 2 * 1024 * 1024, queued: 32 * 1024 * 1024 };

export interface BatcherOptions<Item, Result> {
  /** Name of the items and batches in traces and measurements. */
  readonly name: string;
  /** Runs a batch. If it throws, it must have done nothing, or be safe to repeat. */
  readonly run: RunBatch<Item, Result>;
  /** Maximum number of items of a batch. */
  readonly maxItems: number;
  /** Maximum number of items in the queue. */
  readonly maxQueued: number;
  /**
   * Returns the size of an item, in bytes. `batchBytes` limits batches and the queue by it, for items that differ much in
   * size. Default: 0.
   */
  readonly sizeOf?: (item: Item) => number;
}

/**
 * Returns a function that adds an item to the next batch and resolves to its result. While one batch runs, the next one
 * fills. When no batch runs, the items of one turn of the event loop start together at its end. A batch has the items in
 * the order in which they were added.
 *
 * An item that finds `maxQueued` items in the queue rejects at once with `QueueFullError`.
 *
 * When a batch fails, its items run one by one, so that an item fails only for its own reasons. When the database is
 * unavailable, all items of the batch fail instead.
 */
export function createBatcher<Item, Result>(
  options: BatcherOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { name, maxItems, maxQueued, sizeOf = () => 0 } = options;
  const runner = createBatchRunner(name, options.run);
  const queue: QueuedItem<Item, Result>[] = [];
  let queuedBytes = 0;
  let draining = false;

  /** Takes the items of the next batch from the queue, at least one. */
  const takeBatch = () => {
    let bytes = 0;
    const end = queue.findIndex(({ item }, index) => {
      const size = sizeOf(item);
      if (index === maxItems || (index > 0 && bytes + size > batchBytes.run)) return true;
      bytes += size;
      return false;
    });
    queuedBytes -= bytes;
    return queue.splice(0, end < 0 ? queue.length : end);
  };

  const runOneByOne = async (batch: readonly QueuedItem<Item, Result>[]) => {
    let unavailable: unknown;
    for (const queued of batch) {
      if (unavailable === undefined)
        await runner.run([queued], (error) => {
          if (isUnavailable(error)) unavailable = error;
          runner.reject([queued], error);
        });
      else runner.reject([queued], unavailable);
    }
  };

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = takeBatch();
      await runner.run(batch, (error) =>
        batch.length === 1 || isUnavailable(error) ? runner.reject(batch, error) : runOneByOne(batch),
      );
    }
    draining = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      const size = sizeOf(item);
      if (queue.length >= maxQueued || (queue.length > 0 && queuedBytes + size > batchBytes.queued)) {
        reject(new QueueFullError(`${queue.length} items of ${queuedBytes} bytes are queued`));
        return;
      }
      queuedBytes += size;
      queue.push(runner.queue(item, resolve, reject));
      if (draining) return;
      draining = true;
      // Not at once: the calls of one packet are handled one after the other, and the first would be a batch by itself.
      setImmediate(drain);
    });
}
