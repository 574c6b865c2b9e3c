import { quantile } from '../../harness/quantile.ts';

/** Summary of a figure that was measured in many turns. */
export interface Quartiles {
  /** Lower quartile. Other work on the machine adds processor time and never takes any away. */
  readonly lower: number;
  /** Distance from the lower to the upper quartile, in percent of the median. */
  readonly spreadPercent: number;
}

export function quartilesOf(values: readonly number[]): Quartiles {
  const at = (share: number) => quantile(values, share) ?? Number.NaN;
  return { lower: at(0.25), spreadPercent: (100 * (at(0.75) - at(0.25))) / at(0.5) };
}
