import { median } from '../load/figures.ts';
import { quartilesOf } from './quartiles.ts';
import { type Turn, totalUs } from './turns.ts';

type Turns<Name extends string> = ReadonlyMap<Name, readonly Turn[]>;

/** Returns the figures of every contender for a report: its processor time, its spread, and its rate. */
export function turnFigures<Name extends string>(measured: Turns<Name>): Record<string, number> {
  return Object.fromEntries(
    [...measured].flatMap(([name, turns]) => {
      const { lower, spreadPercent } = quartilesOf(turns.map(totalUs));
      return [
        [`${name}_cpu_us`, lower],
        [`${name}_cpu_spread_percent`, spreadPercent],
        [`${name}_per_second`, perSecond(turns)],
      ];
    }),
  );
}

/** Returns the processor time of one contender's call over that of another: a ratio of lower quartiles. */
export function cpuOver<Name extends string>(measured: Turns<Name>, one: Name, other: Name): number {
  const lower = (name: Name) => quartilesOf((measured.get(name) ?? []).map(totalUs)).lower;
  return lower(one) / lower(other);
}

/** Returns the calls per second of one contender over those of another: a ratio of medians. */
export function rateOver<Name extends string>(measured: Turns<Name>, one: Name, other: Name): number {
  return perSecond(measured.get(one) ?? []) / perSecond(measured.get(other) ?? []);
}

function perSecond(turns: readonly Turn[]): number {
  return median(turns.map((turn) => turn.perSecond));
}
