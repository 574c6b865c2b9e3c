import type { MethodPoint } from '../../api.ts';
import { methodName, milliseconds, percent, rate } from '../widgets/format.ts';
import { Chart } from './chart.tsx';
import type { Line } from './chart-options.ts';

/** Codes with a line of their own; the others are one line. */
const maxCodes = 3;
const codeColours = ['code-1', 'code-2', 'code-3'];

interface MethodChartsProps {
  readonly method: string;
  readonly points: readonly MethodPoint[];
  readonly startMs: number;
}

/** Rate, errors and latency of one method. */
export function MethodCharts({ method, points, startMs }: MethodChartsProps) {
  const times = points.map(({ atMs }) => atMs);
  const line = (name: string, colour: string, read: (point: MethodPoint) => number | null): Line => ({
    name,
    colour,
    values: points.map(read),
  });
  return (
    <div class="method" data-method={method}>
      <h3>{methodName(method)}</h3>
      <Chart
        title="Calls per second"
        {...{ times, startMs }}
        lines={[line('all', 'accent', ({ perSecond }) => perSecond)]}
        format={rate}
        minTop={1}
      />
      <Chart
        title="Errors"
        {...{ times, startMs }}
        lines={errorLines(points)}
        format={percent}
        minTop={0.05}
      />
      <Chart
        title="Latency"
        {...{ times, startMs }}
        lines={[
          line('p50', 'latency-50', ({ p50Ms }) => p50Ms),
          line('p95', 'latency-95', ({ p95Ms }) => p95Ms),
          line('p99', 'latency-99', ({ p99Ms }) => p99Ms),
        ]}
        format={milliseconds}
        minTop={10}
      />
    </div>
  );
}

/** Returns the share of the calls that ended with each code, the most frequent codes first. */
function errorLines(points: readonly MethodPoint[]): readonly Line[] {
  const totals = new Map<string, number>();
  for (const { errorsPerSecond } of points)
    for (const [code, perSecond] of Object.entries(errorsPerSecond))
      totals.set(code, (totals.get(code) ?? 0) + perSecond);
  const codes = [...totals.keys()].toSorted((a, b) => (totals.get(b) ?? 0) - (totals.get(a) ?? 0));
  if (codes.length === 0) return [{ name: 'none', colour: 'text-quiet', values: points.map(() => 0) }];
  const shareOf = ({ errorsPerSecond, perSecond }: MethodPoint, named: readonly string[]) =>
    perSecond === 0 ? null : named.reduce((sum, code) => sum + (errorsPerSecond[code] ?? 0), 0) / perSecond;
  const lines = codes.slice(0, maxCodes).map((code, index) => ({
    name: code,
    colour: codeColours[index] ?? 'text-quiet',
    values: points.map((point) => shareOf(point, [code])),
  }));
  const rest = codes.slice(maxCodes);
  if (rest.length === 0) return lines;
  return [
    ...lines,
    { name: 'others', colour: 'text-quiet', values: points.map((point) => shareOf(point, rest)) },
  ];
}
