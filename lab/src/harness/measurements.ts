import { quantile } from './quantile.ts';

/** The durations measured under one name, over all rounds of a scenario. */
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
  /** Returns the names whose p99 is over the limit, a line each. */
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
        return p99Ms > limitMs ? [`${name}: p99 is ${p99Ms} ms, limit ${limitMs} ms`] : [];
      }),
  };
}
