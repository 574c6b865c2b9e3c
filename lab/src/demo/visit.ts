import type { Outcome } from '../harness/history.ts';
import { quantile } from '../harness/quantile.ts';

/** One customer's order, retries included. Times are by `performance.now()`. */
export interface Visit {
  readonly arrivedMs: number;
  /** When the outcome was known. */
  readonly answeredMs: number;
  readonly outcome: Outcome;
  /** Whether the customer's own connection broke. */
  readonly wasCutOff: boolean;
}

/**
 * Returns a quantile of the time until the outcome, in ms, without the visits that were cut off. Undefined if there are
 * no visits.
 */
export function answeredWithinMs(visits: readonly Visit[], share: number): number | undefined {
  const durationsMs = visits
    .filter(({ wasCutOff }) => !wasCutOff)
    .map(({ arrivedMs, answeredMs }) => answeredMs - arrivedMs);
  return quantile(durationsMs, share);
}
