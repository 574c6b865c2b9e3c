/** Of values that are the bigger of the two, a unit, and how many of it one is. */
type Scale = readonly [from: number, unit: string, perValue: number];

/** Grafana's names of units. */
const units: Readonly<Record<string, readonly Scale[]>> = {
  short: [[0, '', 1]],
  reqps: [[0, ' req/s', 1]],
  ops: [[0, ' ops/s', 1]],
  percentunit: [[0, ' %', 100]],
  s: [
    [1, ' s', 1],
    [0, ' ms', 1e3],
  ],
  bytes: [
    [2 ** 20, ' MiB', 2 ** -20],
    [0, ' KiB', 2 ** -10],
  ],
};

/** A value as people read it, of a panel with this unit of Grafana's. @throws Error for a unit that it does not know. */
export function unitLabel(unit: string, value: number): string {
  const scales = units[unit];
  if (!scales)
    throw new Error(`no dashboard has had the unit ${unit} so far: ${Object.keys(units).join(', ')}`);
  const [, name, perValue] = scales.find(([from]) => Math.abs(value) >= from) ?? [0, '', 1];
  if (value === 0) return '0';
  const figure = value * perValue;
  return `${Math.abs(figure) < 1000 ? Number(figure.toPrecision(3)) : Math.round(figure)}${name}`;
}
