/** The part of the stream resets permitted by a server that a connection has used. */
export interface ResetBudget {
  /** Calls that are open, each of which may still be reset. */
  calls: number;
  /** Resets that the server still counts, as of `updatedAtMs`. */
  resets: number;
  updatedAtMs: number;
}

/**
 * Maximum number of open calls and remembered resets of a connection. Node's HTTP/2 servers close a connection, with every
 * call on it, after a burst of 1,000 resets.
 */
const maxResets = 800;

/** Number of resets that expire per second. On Node's servers 33 expire. */
const expiredPerSecond = 25;

export function unusedBudget(): ResetBudget {
  return { calls: 0, resets: 0, updatedAtMs: 0 };
}

/** Counts a reset that the client has sent. */
export function countReset(budget: ResetBudget, nowMs: number): void {
  budget.resets = rememberedResets(budget, nowMs) + 1;
  budget.updatedAtMs = nowMs;
}

/** Returns whether the connection survives another call, even if all of its calls are reset. */
export function hasRoom(budget: ResetBudget, nowMs: number): boolean {
  return usedOf(budget, nowMs) < maxResets;
}

/** Returns whether more than half of the budget is left. */
export function isHalfFree(budget: ResetBudget, nowMs: number): boolean {
  return usedOf(budget, nowMs) < maxResets / 2;
}

/** Open calls and remembered resets together. */
export function usedOf(budget: ResetBudget, nowMs: number): number {
  return budget.calls + rememberedResets(budget, nowMs);
}

function rememberedResets({ resets, updatedAtMs }: ResetBudget, nowMs: number): number {
  return Math.max(0, resets - ((nowMs - updatedAtMs) / 1000) * expiredPerSecond);
}
