import { createWakeableSleep } from '../timing/wakeable-sleep.ts';

export interface SweeperOptions {
  /**
   * Removes the oldest expired rows, at most `rowsPerBatch`, in one transaction. Returns their number. It skips rows that
   * another replica is removing, and returns 0 if that leaves none.
   */
  readonly removeBatch: (rowsPerBatch: number) => Promise<number>;
  /** Called for a failed batch. The next sweep tries again. */
  readonly onError: (error: unknown) => void;
}

export interface Sweeper {
  /** Resolves when the batch in progress has ended. */
  close(): Promise<void>;
}

/** Maximum number of rows of a batch. It bounds the locks and the WAL of a transaction. */
export const rowsPerBatch = 5_000;
/** Maximum number of batches of a sweep: 432 million rows a day. */
const batchesPerSweep = 60;
const intervalMs = 60_000;
/** Pause between two batches, in which other work gets the processor and the disk. */
const pauseMs = 20;

/**
 * Removes expired rows, at once and then every minute, in batches. Every replica may run one: their batches share the rows of
 * a database.
 */
export function startSweeper({ removeBatch, onError }: SweeperOptions): Sweeper {
  const idle = createWakeableSleep();
  let isClosed = false;
  const sweepOnce = async () => {
    for (let batch = 0; batch < batchesPerSweep && !isClosed; batch++) {
      if ((await removeBatch(rowsPerBatch)) < rowsPerBatch || isClosed) return;
      await idle.sleep(pauseMs);
    }
  };
  const run = async () => {
    while (!isClosed) {
      await sweepOnce().catch(onError);
      if (!isClosed) await idle.sleep(intervalMs);
    }
  };
  const ended = run();
  return {
    close: async () => {
      isClosed = true;
      idle.wake();
      await ended;
    },
  };
}
