/** Returns the quantile by the nearest-rank method, `share` from 0 to 1. Undefined if there are no values. */
export function quantile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1];
}
