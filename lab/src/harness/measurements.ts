import { quantile } from './quantile.ts';

/** What a row has measured by one name, in all of its rounds. */
export interface Measured {
  readonly name: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface Measurements {
  add(name: string, durationsMs: readonly number[], limitMs: number): void;
  all(): Measured[];
  /** Where more than one in 100 was over the limit, a line each. */
  overLimit(): string[];
}

export function openMeasurements(): Measurements {
  const taken = new Map<string, { durationsMs: number[]; limitMs: number }>();
  const all = () =>
    [...taken].map(([name, { durationsMs }]) => {
      const at = (share: number) => Math.round(quantile(durationsMs, share) ?? 0);
      return { name, count: durationsMs.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
    });
  return {
    add: (name, durationsMs, limitMs) => {
      taken.getOrInsertComputed(name, () => ({ durationsMs: [], limitMs })).durationsMs.push(...durationsMs);
    },
    all,
    overLimit: () =>
      all().flatMap(({ name, p99Ms }) => {
        const { limitMs = Infinity } = taken.get(name) ?? {};
        return p99Ms > limitMs ? [`${name} in ${p99Ms} ms at p99, not within ${limitMs}`] : [];
      }),
  };
}
