import { batchTelemetry, type ItemTrace } from './batch-telemetry.ts';

/** Runs a batch. Returns a result for each item in their order; an Error rejects that item only. */
export type RunBatch<Item, Result> = (items: Item[]) => Promise<(Result | Error)[]>;

/** An item that waits for the result of its batch. */
export interface QueuedItem<Item, Result> {
  readonly item: Item;
  readonly trace: ItemTrace;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchRunner<Item, Result> {
  /** Starts the item's span, which lasts until the item is settled, and so includes the wait for the batch. */
  queue(
    item: Item,
    resolve: QueuedItem<Item, Result>['resolve'],
    reject: QueuedItem<Item, Result>['reject'],
  ): QueuedItem<Item, Result>;
  /**
   * Runs the batch and settles each of its items. Never rejects. A wrong number of results rejects all items.
   *
   * @param onFailure Settles the items of a batch that has failed. Its promise must not reject.
   */
  run(
    batch: readonly QueuedItem<Item, Result>[],
    onFailure: (error: unknown) => void | Promise<void>,
  ): Promise<void>;
  reject(batch: readonly QueuedItem<Item, Result>[], error: unknown): void;
}

/** Returns a runner of batches with their telemetry, which is named `name`. */
export function createBatchRunner<Item, Result>(
  name: string,
  run: RunBatch<Item, Result>,
): BatchRunner<Item, Result> {
  const telemetry = batchTelemetry(name);
  const settle = ({ trace, resolve, reject }: QueuedItem<Item, Result>, result: Result | Error) => {
    if (result instanceof Error) {
      telemetry.fail(trace, result);
      reject(result);
    } else {
      telemetry.end(trace);
      resolve(result);
    }
  };
  const rejectAll = (batch: readonly QueuedItem<Item, Result>[], error: unknown) => {
    for (const { trace, reject } of batch) {
      telemetry.fail(trace, error);
      reject(error);
    }
  };
  return {
    queue: (item, resolve, reject) => ({ item, trace: telemetry.start(), resolve, reject }),
    run: async (batch, onFailure) => {
      let results: (Result | Error)[];
      try {
        results = await telemetry.run(
          batch.map(({ trace }) => trace),
          () => run(batch.map(({ item }) => item)),
        );
      } catch (error) {
        await onFailure(error);
        return;
      }
      if (results.length === batch.length)
        for (const [index, queued] of batch.entries()) settle(queued, results[index] as Result | Error);
      // Not a failure of the batch: `onFailure` may run its items again, and their work would be done twice.
      else rejectAll(batch, new Error(`a batch of ${batch.length} items returned ${results.length} results`));
    },
    reject: rejectAll,
  };
}
