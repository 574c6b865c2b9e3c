import { setTimeout as sleep } from 'node:timers/promises';
import { type Databases, unsettledOrders } from './invariants.ts';

/** Orders must be settled this soon after a fault ends. */
const settleTimeoutMs = 30_000;
const pollMs = 50;

export interface SettlingOptions {
  /** Waits only for orders that were last changed before `sinceMs`, while customers go on placing orders. */
  readonly backlogOnly?: boolean;
  readonly signal?: AbortSignal;
}

/** Waits until all orders are settled, up to 30 s after `sinceMs`. Returns the time since then, in ms. */
export async function untilSettled(
  databases: Pick<Databases, 'ordersDatabase'>,
  sinceMs: number,
  { backlogOnly = false, signal }: SettlingOptions = {},
): Promise<number> {
  for (;;) {
    const olderThanMs = backlogOnly ? performance.now() - sinceMs : 0;
    const left = await unsettledOrders(databases, { olderThanMs });
    const elapsedMs = performance.now() - sinceMs;
    if (left.length === 0 || elapsedMs > settleTimeoutMs) return elapsedMs;
    await sleep(pollMs, undefined, signal && { signal });
  }
}
