import { seededRandom } from '../../harness/seeded-random.ts';
import { quartilesOf } from '../turns/quartiles.ts';

/** Change of a figure from one checkout to another. */
export interface Change {
  /** Lower quartiles. */
  readonly base: number;
  readonly head: number;
  /** Of `head` from `base`, in percent. */
  readonly percent: number;
  /** Interval of the change, in percent, that 99 of 100 resamples of the turns are in. */
  readonly low: number;
  readonly high: number;
  readonly verdict: 'more' | 'less' | 'within the noise';
}

/** Two processes of the same code differ by up to this, because V8 compiles each at other moments. */
const noisePercent = 3;
const resamples = 1000;
const tail = 0.005;

/**
 * Compares the turns of two checkouts that alternated. The figure has changed if the bootstrap interval of the ratio of the
 * lower quartiles is wholly more than 3 % from none.
 *
 * @param base Values of the turns, in their order.
 * @param head Values of the same turns. The two values of a turn are resampled together. A turn without work of both
 * checkouts is left out.
 */
export function changeBetween(base: readonly number[], head: readonly number[]): Change {
  const pairs = base.flatMap((value, turn): [number, number][] => {
    const other = head[turn] ?? Number.NaN;
    return isMeasured(value) && isMeasured(other) ? [[value, other]] : [];
  });
  const random = seededRandom('regress');
  const drawn = Array.from({ length: resamples }, () => percentOf(pairs.map(() => random.pick(pairs)))).sort(
    (a, b) => a - b,
  );
  const low = drawn[Math.floor(resamples * tail)] ?? Number.NaN;
  const high = drawn[Math.ceil(resamples * (1 - tail)) - 1] ?? Number.NaN;
  return {
    base: lowerOf(pairs, 0),
    head: lowerOf(pairs, 1),
    percent: percentOf(pairs),
    low,
    high,
    verdict: low > noisePercent ? 'more' : high < -noisePercent ? 'less' : 'within the noise',
  };
}

function percentOf(pairs: readonly (readonly [number, number])[]): number {
  return 100 * (lowerOf(pairs, 1) / lowerOf(pairs, 0) - 1);
}

function lowerOf(pairs: readonly (readonly [number, number])[], side: 0 | 1): number {
  return quartilesOf(pairs.map((pair) => pair[side])).lower;
}

function isMeasured(value: number): boolean {
  return Number.isFinite(value) && value > 0;
}
