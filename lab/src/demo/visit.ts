import type { Outcome } from '../harness/history.ts';
import { quantile } from '../harness/quantile.ts';

/** How somebody fared who came to order. */
export interface Visit {
  /** By `performance.now()`, as all moments of the night. */
  readonly arrivedMs: number;
  /** When the order was first answered for good, however often it had to be sent. */
  readonly answeredMs: number;
  readonly outcome: Outcome;
  /** It was the customer's own line that broke. */
  readonly wasCutOff: boolean;
}

/** Within how many ms this share of them had an answer, those left out whose own line broke; undefined of nobody. */
export function answeredWithinMs(visits: readonly Visit[], share: number): number | undefined {
  const durationsMs = visits
    .filter(({ wasCutOff }) => !wasCutOff)
    .map(({ arrivedMs, answeredMs }) => answeredMs - arrivedMs);
  return quantile(durationsMs, share);
}
