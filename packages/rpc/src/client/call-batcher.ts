import { runDetached } from '../call/call-context.ts';
import { createBatchRunner, type QueuedItem, type RunBatch } from '../telemetry/batch-runner.ts';

export interface CallBatcherOptions<Item, Result> {
  /** Name of the items and batches in traces and measurements. */
  readonly name: string;
  /** Makes one call for the items. */
  readonly run: RunBatch<Item, Result>;
  /** Returns the size of an item, in the unit of `maxSize`. */
  readonly sizeOf: (item: Item) => number;
  /** Maximum size of the items of a batch together. A larger item is a batch by itself. */
  readonly maxSize: number;
}

/** The items of one call. */
interface Batch<Item, Result> {
  readonly queued: QueuedItem<Item, Result>[];
  size: number;
}

/**
 * Returns a function that adds an item to the batch of this turn of the event loop and resolves to its result. The batch is
 * one call, because a call costs both ends more than most items. An item waits for the end of the turn only, never for a
 * call in flight, so a replica that hangs delays only its own items.
 *
 * A single item is called for within the call that is being served, and inherits its deadline, cancellation and request
 * id. A batch of several is detached from all of them, and outlives each.
 *
 * `dataloader` has neither the detaching, nor sizes, nor spans, and its cache by key would have to be disabled.
 */
export function createCallBatcher<Item, Result>(
  options: CallBatcherOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { name, sizeOf, maxSize } = options;
  const runner = createBatchRunner(name, options.run);
  let open: Batch<Item, Result> | undefined;

  const startBatch = () => {
    const batch: Batch<Item, Result> = { queued: [], size: 0 };
    // Runs in the context of the first item, which an only item keeps.
    setImmediate(() => {
      if (open === batch) open = undefined;
      const { queued } = batch;
      const run = () => void runner.run(queued, (error) => runner.reject(queued, error));
      if (queued.length > 1) runDetached(run);
      else run();
    });
    return batch;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      const size = sizeOf(item);
      if (open && open.size + size > maxSize) open = undefined;
      open ??= startBatch();
      open.queued.push(runner.queue(item, resolve, reject));
      open.size += size;
    });
}
