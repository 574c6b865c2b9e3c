import type { OtlpHistogramPoint } from './otlp-json.ts';

/** A sum of histograms with the same bounds. */
export interface HistogramSum {
  count: number;
  bounds: readonly number[];
  buckets: number[];
  min: number;
  max: number;
}

export function emptyHistogram(): HistogramSum {
  return { count: 0, bounds: [], buckets: [], min: Infinity, max: -Infinity };
}

const maxBuckets = 100;

/** Whether the fields of a point are finite numbers, and its buckets at most 100. */
export function isSound({
  count,
  bucketCounts = [],
  explicitBounds = [],
  ...point
}: OtlpHistogramPoint): boolean {
  const { min = 0, max = 0 } = point;
  return (
    Math.max(bucketCounts.length, explicitBounds.length) <= maxBuckets &&
    [count, ...bucketCounts].every((each) => Number.isFinite(Number(each))) &&
    [min, max, ...explicitBounds].every(Number.isFinite)
  );
}

/** Adds a sound point. A point with other bounds than those before it counts in `count` only. */
export function addPoint(sum: HistogramSum, point: OtlpHistogramPoint): void {
  const { bucketCounts = [], explicitBounds = [], min = Infinity, max = -Infinity } = point;
  sum.count += Number(point.count);
  sum.min = Math.min(sum.min, min);
  sum.max = Math.max(sum.max, max);
  if (sum.buckets.length === 0) {
    sum.bounds = explicitBounds;
    sum.buckets = bucketCounts.map(Number);
  } else if (explicitBounds.length === sum.bounds.length)
    for (const [index, count] of bucketCounts.entries())
      sum.buckets[index] = (sum.buckets[index] ?? 0) + Number(count);
}

/**
 * Returns a quantile, `share` from 0 to 1, by linear interpolation in its bucket, as Prometheus' `histogram_quantile` does, but
 * within the smallest and the largest value. Null if the histogram is empty.
 */
export function quantileOf({ bounds, buckets, min, max }: HistogramSum, share: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = share * total;
  let below = 0;
  for (const [index, count] of buckets.entries()) {
    if (count > 0 && below + count >= rank) {
      const lower = Math.max(bounds[index - 1] ?? 0, Number.isFinite(min) ? min : 0);
      const upper = Math.min(bounds[index] ?? Infinity, Number.isFinite(max) ? max : Infinity);
      const top = Number.isFinite(upper) ? upper : lower;
      return lower + Math.max(0, top - lower) * ((rank - below) / count);
    }
    below += count;
  }
  return null;
}
