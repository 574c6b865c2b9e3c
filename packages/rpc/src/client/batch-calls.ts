import { runDetached } from '../call/call-context.ts';
import { type BatchTelemetry, batchTelemetry, type ItemTrace } from '../telemetry/batch-telemetry.ts';

export interface BatchCallsOptions<Item, Result> {
  /** Name of the batch in traces and measurements. */
  readonly name: string;
  /** Makes one call for the items. Returns a result for each in their order; an Error rejects that item only. */
  readonly call: (items: Item[]) => Promise<(Result | Error)[]>;
  /** Returns the size of an item, in the unit of `maxSize`. */
  readonly sizeOf: (item: Item) => number;
  /** Maximum size of the items of a call together. A larger item has a call of its own. */
  readonly maxSize: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly trace: ItemTrace;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** The items of one call. */
interface Batch<Item, Result> {
  readonly waiting: Waiting<Item, Result>[];
  size: number;
}

/**
 * Batches the items of one turn of the event loop into one call, because a call costs both ends more than most items. An
 * item waits for the end of the turn only, never for a call in flight, so a replica that hangs delays only its own items.
 *
 * A single item is called for within the call that is being served, and inherits its deadline, cancellation and request
 * id. A batch of several is detached from all of them, and outlives each.
 *
 * `dataloader` has neither the detaching, nor sizes, nor spans, and its cache by key would have to be disabled.
 */
export function batchCalls<Item, Result>(
  options: BatchCallsOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { name, call, sizeOf, maxSize } = options;
  const telemetry = batchTelemetry(name);
  let open: Batch<Item, Result> | undefined;

  const startBatch = () => {
    const batch: Batch<Item, Result> = { waiting: [], size: 0 };
    // Runs in the context of the first item, which an only item keeps.
    setImmediate(() => {
      if (open === batch) open = undefined;
      const run = () => void callFor(telemetry, batch.waiting, call);
      if (batch.waiting.length > 1) runDetached(run);
      else run();
    });
    return batch;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      const size = sizeOf(item);
      if (open && open.size + size > maxSize) open = undefined;
      open ??= startBatch();
      open.waiting.push({ item, trace: telemetry.start(), resolve, reject });
      open.size += size;
    });
}

/** Makes the call and settles each item. Never rejects. */
async function callFor<Item, Result>(
  telemetry: BatchTelemetry,
  batch: readonly Waiting<Item, Result>[],
  call: BatchCallsOptions<Item, Result>['call'],
): Promise<void> {
  const fail = ({ trace, reject }: Waiting<Item, Result>, error: unknown) => {
    telemetry.fail(trace, error);
    reject(error);
  };
  try {
    const traces = batch.map(({ trace }) => trace);
    const results = await telemetry.run(traces, () => call(batch.map(({ item }) => item)));
    if (results.length !== batch.length)
      throw new Error(`a call for ${batch.length} items returned ${results.length} results`);
    for (const [index, waiting] of batch.entries()) {
      const result = results[index] as Result | Error;
      if (result instanceof Error) fail(waiting, result);
      else {
        telemetry.end(waiting.trace);
        waiting.resolve(result);
      }
    }
  } catch (error) {
    for (const waiting of batch) fail(waiting, error);
  }
}
