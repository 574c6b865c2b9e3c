import { type BatchTelemetry, batchTelemetry, type ItemTrace } from '@acme/rpc/telemetry/batch-telemetry';
import { isUnavailable } from '../transaction/errors.ts';

/** Maximum size of a batch, and of all that waits, where items say their size. A larger item is a batch by itself. */
export const batchBytes = { run: 2 * 1024 * 1024, queued: 32 * 1024 * 1024 };

/** More work waits than `maxQueued`: the caller should be told to come back later. */
export class QueueFullError extends Error {
  override name = 'QueueFullError';
}

type Waiting<Item, Result> = {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
  trace: ItemTrace;
};

/** Does the work of a batch: `run`, and what shows it. */
type RunBatch<Item, Result> = (batch: readonly Waiting<Item, Result>[]) => Promise<Result[]>;

/**
 * Gathers items into batches: while one batch is at the database the next one fills. An item that finds nothing
 * running starts with those that arrive in the same turn of the event loop, at its end, and waits for no others; at most
 * `maxItems` go together, first come first served.
 * With `maxQueued` waiting already, a further item rejects at once with `QueueFullError`. Items that differ much in size give
 * it as `sizeBytes`: then `batchBytes` bounds batches and the queue, too.
 *
 * When a batch fails, its items run one by one, so that nobody pays for a neighbour: `run` must have done
 * nothing if it throws, or be safe to repeat. If the database is unavailable all of them fail with it instead.
 *
 * Items and batches are called `name` in traces and measurements.
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
  const queue: Waiting<Item, Result>[] = [];
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
        reject(new QueueFullError(`${queue.length} items of ${queuedBytes} bytes are waiting already`));
        return;
      }
      queuedBytes += size;
      queue.push(shown(telemetry, { item, resolve, reject }));
      if (draining) return;
      draining = true;
      // Calls that came in one packet are served one after the other: at once would be a batch of the first of them alone.
      setImmediate(drain);
    });
}

/** Ends the item's span when it is answered. */
function shown<Item, Result>(
  telemetry: BatchTelemetry,
  { item, resolve, reject }: Omit<Waiting<Item, Result>, 'trace'>,
): Waiting<Item, Result> {
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

/** Runs one batch and answers each of its items. Never rejects. */
async function settle<Item, Result>(
  run: RunBatch<Item, Result>,
  batch: Waiting<Item, Result>[],
): Promise<void> {
  let results: Result[];
  try {
    results = await run(batch);
  } catch (error) {
    if (batch.length === 1 || isUnavailable(error)) for (const { reject } of batch) reject(error);
    else await settleOneByOne(run, batch);
    return;
  }
  // Not run again one by one: it did not fail, so it would be done twice.
  if (results.length !== batch.length) {
    const error = new Error(`a batch of ${batch.length} items gave ${results.length} results`);
    for (const { reject } of batch) reject(error);
    return;
  }
  for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
}

async function settleOneByOne<Item, Result>(
  run: RunBatch<Item, Result>,
  batch: Waiting<Item, Result>[],
): Promise<void> {
  let unavailable: unknown;
  for (const waiting of batch) {
    if (unavailable !== undefined) {
      waiting.reject(unavailable);
      continue;
    }
    const reject = (error: unknown) => {
      if (isUnavailable(error)) unavailable = error;
      waiting.reject(error);
    };
    await settle(run, [{ ...waiting, reject }]);
  }
}
