/** Largest 32-bit integer: the maximum delay of a timer in Node, and of a retry in gRPC's pushback, in ms. */
export const maxInt32 = 2 ** 31 - 1;

/**
 * Calls `callback` at a time in ms since the epoch, or as soon as possible if the time has passed. A time more than 24.8
 * days ahead is brought forward to that, because Node would call at once.
 */
export function setTimeoutAt(atMs: number, callback: () => void): NodeJS.Timeout {
  return setTimeout(callback, Math.min(Math.max(atMs - Date.now(), 0), maxInt32));
}

/** Clocks and timers differ, so the other side may end a call a little before its deadline has passed here. */
const deadlineToleranceMs = 10;

/** Returns whether a deadline in ms since the epoch has passed, with a tolerance of 10 ms. */
export function hasPassed(deadlineAtMs: number): boolean {
  return Date.now() >= deadlineAtMs - deadlineToleranceMs;
}
