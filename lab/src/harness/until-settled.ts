import { setTimeout as sleep } from 'node:timers/promises';
import { type Books, unsettledOrders } from './invariants.ts';

/** What design.md promises for the time after a fault. */
const settleTimeoutMs = 30_000;
const pollMs = 50;

export interface SettlingOptions {
  /** Waits only for what was owed already then: others go on placing orders. */
  readonly backlogOnly?: boolean;
  readonly signal?: AbortSignal;
}

/** Waits until nothing is owed, 30 s at the most; how long it was since then, in ms. */
export async function untilSettled(
  books: Pick<Books, 'ordersDatabase'>,
  sinceMs: number,
  { backlogOnly = false, signal }: SettlingOptions = {},
): Promise<number> {
  for (;;) {
    const olderThanMs = backlogOnly ? performance.now() - sinceMs : 0;
    const left = await unsettledOrders(books, { olderThanMs });
    const elapsedMs = performance.now() - sinceMs;
    if (left.length === 0 || elapsedMs > settleTimeoutMs) return elapsedMs;
    await sleep(pollMs, undefined, signal && { signal });
  }
}
