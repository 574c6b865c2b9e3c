/** Start of a span by both clocks. */
export interface SpanStart {
  /** In ms since the epoch, with fractions. */
  readonly time: number;
  readonly monotonicMs: number;
}

/** Difference of the clocks beyond which the wall clock was set, or the machine has slept. */
const toleranceMs = 20;

/** Difference of the wall clock and the monotonic clock. */
let offsetMs = performance.timeOrigin;

/**
 * Returns the start of a span that starts now, with the resolution of the monotonic clock. The SDK's own starts are whole
 * milliseconds, by which the statements of a short call seem to overlap, and to begin before their parents.
 */
export function spanStart(): SpanStart {
  const monotonicMs = performance.now();
  // Both clocks are read again, because the process may have been suspended between the first two reads.
  if (Math.abs(monotonicMs + offsetMs - Date.now()) > toleranceMs) offsetMs = Date.now() - performance.now();
  return { time: monotonicMs + offsetMs, monotonicMs };
}

/** Returns the time at which a span ends that ends now. Its duration does not depend on the wall clock. */
export function spanEnd({ time, monotonicMs }: SpanStart): number {
  return time + performance.now() - monotonicMs;
}
