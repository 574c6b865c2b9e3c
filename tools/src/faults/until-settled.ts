import { setTimeout as sleep } from 'node:timers/promises';
import { type Books, unsettledOrders } from './invariants.ts';

/** What design.md promises for the time after a fault. */
const settleTimeoutMs = 30_000;
const pollMs = 50;

/** Waits until nothing is owed, 30 s at the most; how long it was since then, in ms. */
export async function untilSettled(books: Books, sinceMs: number): Promise<number> {
  for (;;) {
    const left = await unsettledOrders(books);
    const elapsedMs = performance.now() - sinceMs;
    if (left.length === 0 || elapsedMs > settleTimeoutMs) return elapsedMs;
    await sleep(pollMs);
  }
}
