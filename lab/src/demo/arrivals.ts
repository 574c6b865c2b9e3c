import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../harness/seeded-random.ts';

export interface ArrivalsOptions {
  readonly random: Random;
  /** Arrivals per second at a time by `performance.now()`. It may change at any time, and may be 0. */
  readonly rateAt: (timeMs: number) => number;
  /** Time of the first possible arrival, by `performance.now()`. */
  readonly startMs: number;
  /** Default: never. */
  readonly endMs?: number;
  /** Arrivals that are overdue for longer are omitted. Default: none are. */
  readonly maxLateMs?: number;
}

/** Time after which the rate is read again. */
const stepMs = 100;

/**
 * Yields the times at which customers arrive, each when it has come. Customers arrive independently of each other (a
 * Poisson process): the times between them are exponential, and without memory, so that a wait for the next one can begin
 * anew at every step.
 */
export async function* arrivals(options: ArrivalsOptions, signal: AbortSignal): AsyncGenerator<number> {
  const { random, rateAt, startMs, endMs = Infinity, maxLateMs = Infinity } = options;
  for (let dueMs = startMs; ; ) {
    const gapMs = (-Math.log(1 - random.next()) * 1000) / rateAt(dueMs);
    dueMs = Math.max(dueMs + Math.min(gapMs, stepMs), performance.now() - maxLateMs);
    if (Math.max(dueMs, performance.now()) > endMs) return;
    const waitMs = dueMs - performance.now();
    if (waitMs >= 1) await sleep(waitMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    if (gapMs <= stepMs) yield dueMs;
  }
}
