import { median } from '../load/figures.ts';
import { quartilesOf } from './quartiles.ts';
import { type Turn, type Turns, totalUs } from './turns.ts';

/** Returns the figures of every contender for a report: its processor time, its spread, and its rate. */
export function turnFigures<Name extends string>(measured: Turns<Name>): Record<string, number> {
  return Object.fromEntries(
    [...measured].flatMap(([name, turns]) => [
      ...Object.entries(cpuFigures(name, turns)),
      [`${name}_per_second`, perSecond(turns)],
    ]),
  );
}

/** Returns the processor time of a call or an order for a report, in all processes together and in each. */
export function processFigures(name: string, turns: readonly Turn[]): Record<string, number> {
  const processes = Object.keys(turns[0]?.cpuUs ?? {});
  const each = processes.map((process) => [
    `${name}_${process}_cpu_us`,
    quartilesOf(turns.map(({ cpuUs }) => cpuUs[process] ?? Number.NaN)).lower,
  ]);
  return { ...cpuFigures(name, turns), ...Object.fromEntries(each) };
}

function cpuFigures(name: string, turns: readonly Turn[]): Record<string, number> {
  const { lower, spreadPercent } = quartilesOf(turns.map(totalUs));
  return { [`${name}_cpu_us`]: lower, [`${name}_cpu_spread_percent`]: spreadPercent };
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
