import { runDetached } from '../call/call-context.ts';
import { type BatchTelemetry, batchTelemetry, type ItemTrace } from '../telemetry/batch-telemetry.ts';

export interface BatchCallsOptions<Item, Result> {
  /** What an item is called in traces and measurements. */
  readonly name: string;
  /** Makes one call for the items. Gives a result for each, in their order; an Error among them is its item's alone. */
  readonly call: (items: Item[]) => Promise<(Result | Error)[]>;
  /** What an item takes up of a call. */
  readonly sizeOf: (item: Item) => number;
  /** The most that the items of a call take up together. One that takes more goes alone. */
  readonly maxSize: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly trace: ItemTrace;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** What is gathered for one call. */
interface Batch<Item, Result> {
  readonly waiting: Waiting<Item, Result>[];
  size: number;
}

/**
 * Gathers what is asked in one turn of the event loop into one call: a call costs its two ends more than most of what it
 * carries. Nobody waits for anything but the end of the turn, and for no call that is under way, so that a replica that
 * hangs holds up only those who asked it.
 *
 * An item that is alone is called for within the call that is being served, and inherits its deadline, its cancellation
 * and its request id. What goes together belongs to none of them, and outlives each.
 */
export function batchCalls<Item, Result>(
  options: BatchCallsOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { name, call, sizeOf, maxSize } = options;
  const telemetry = batchTelemetry(name);
  let open: Batch<Item, Result> | undefined;

  const begin = () => {
    const batch: Batch<Item, Result> = { waiting: [], size: 0 };
    // In the context of the first item, which is that of all of them if it stays alone.
    setImmediate(() => {
      if (open === batch) open = undefined;
      const make = () => void answer(telemetry, batch.waiting, call);
      if (batch.waiting.length > 1) runDetached(make);
      else make();
    });
    return batch;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      const size = sizeOf(item);
      if (open && open.size + size > maxSize) open = undefined;
      open ??= begin();
      open.waiting.push({ item, trace: telemetry.start(), resolve, reject });
      open.size += size;
    });
}

/** Makes the call, and answers each item. Never rejects. */
async function answer<Item, Result>(
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
      throw new Error(`a call for ${batch.length} items gave ${results.length} results`);
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
