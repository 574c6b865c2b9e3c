import { type BatchTelemetry, batchTelemetry, type ItemTrace } from '@acme/rpc/telemetry/batch-telemetry';
import { isUnavailable, QueueFullError } from '../errors/database-errors.ts';

/** Maximum bytes of a batch and of the queue, when items have a size. A larger item is a batch by itself. */
export const batchBytes = { run: 2 * 1024 * 1024, queued: 32 * 1024 * 1024 };

type Queued<Item, Result> = {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
  trace: ItemTrace;
};

/** Runs a batch within its telemetry. */
type RunBatch<Item, Result> = (batch: readonly Queued<Item, Result>[]) => Promise<Result[]>;

/**
 * Returns a function that adds an item to the next batch and resolves to its result. While one batch runs, the next one
 * fills. When no batch runs, the items of one turn of the event loop start together at its end. A batch has at most
 * `maxItems` items, in the order in which they were added.
 *
 * An item that finds `maxQueued` items in the queue rejects at once with `QueueFullError`. When items differ much in size,
 * give it as `sizeBytes`: then `batchBytes` also limits batches and the queue.
 *
 * When a batch fails, its items run one by one, so that an item fails only for its own reasons. A `run` that throws must
 * have done nothing, or be safe to repeat. When the database is unavailable, all items of the batch fail instead.
 *
 * Items and batches are named `name` in traces and measurements.
 */
export function createBatcher<Item, Result>(options: {
  name: string;
  run: (items: Item[]) => Promise<Result[]>;
  maxItems: number;
  maxQueued: number;
  sizeBytes?: (item: Item) => number;
}): (item: Item) => Promise<Result> {
  const { name, maxItems, maxQueued, sizeBytes = () => 0 } = options;
  const telemetry = batchTelemetry(name);
  const queue: Queued<Item, Result>[] = [];
  let queuedBytes = 0;
  let draining = false;

  const run: RunBatch<Item, Result> = (batch) =>
    telemetry.run(
      batch.map(({ trace }) => trace),
      () => options.run(batch.map(({ item }) => item)),
    );

  /** Takes the items of the next batch from the queue, at least one. */
  const takeBatch = () => {
    let bytes = 0;
    const end = queue.findIndex(({ item }, index) => {
      const size = sizeBytes(item);
      if (index === maxItems || (index > 0 && bytes + size > batchBytes.run)) return true;
      bytes += size;
      return false;
    });
    queuedBytes -= bytes;
    return queue.splice(0, end < 0 ? queue.length : end);
  };

  async function drain(): Promise<void> {
    while (queue.length > 0) await settle(run, takeBatch());
    draining = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      const size = sizeBytes(item);
      if (queue.length >= maxQueued || (queue.length > 0 && queuedBytes + size > batchBytes.queued)) {
        reject(new QueueFullError(`${queue.length} items of ${queuedBytes} bytes are queued`));
        return;
      }
      queuedBytes += size;
      queue.push(withSpan(telemetry, { item, resolve, reject }));
      if (draining) return;
      draining = true;
      // Not at once: the calls of one packet are handled one after the other, and the first would be a batch by itself.
      setImmediate(drain);
    });
}

/** Starts the item's span, and ends it with the item's result. */
function withSpan<Item, Result>(
  telemetry: BatchTelemetry,
  { item, resolve, reject }: Omit<Queued<Item, Result>, 'trace'>,
): Queued<Item, Result> {
  const trace = telemetry.start();
  return {
    item,
    trace,
    resolve: (result) => {
      telemetry.end(trace);
      resolve(result);
    },
    reject: (error) => {
      telemetry.fail(trace, error);
      reject(error);
    },
  };
}

/** Runs one batch and settles each of its items. Never rejects. */
async function settle<Item, Result>(
  run: RunBatch<Item, Result>,
  batch: Queued<Item, Result>[],
): Promise<void> {
  let results: Result[];
  try {
    results = await run(batch);
  } catch (error) {
    if (batch.length === 1 || isUnavailable(error)) for (const { reject } of batch) reject(error);
    else await settleOneByOne(run, batch);
    return;
  }
  // Not run again one by one: the batch did not fail, so its work would be done twice.
  if (results.length !== batch.length) {
    const error = new Error(`a batch of ${batch.length} items returned ${results.length} results`);
    for (const { reject } of batch) reject(error);
    return;
  }
  for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
}

async function settleOneByOne<Item, Result>(
  run: RunBatch<Item, Result>,
  batch: Queued<Item, Result>[],
): Promise<void> {
  let unavailable: unknown;
  for (const queued of batch) {
    if (unavailable !== undefined) {
      queued.reject(unavailable);
      continue;
    }
    const reject = (error: unknown) => {
      if (isUnavailable(error)) unavailable = error;
      queued.reject(error);
    };
    await settle(run, [{ ...queued, reject }]);
  }
}
