import type { SaturationPoint } from '../../api.ts';
import { bytes, count, milliseconds, percent, rate } from '../widgets/format.ts';
import { Chart } from './chart.tsx';
import type { Line } from './chart-options.ts';

interface SaturationChartsProps {
  readonly points: readonly SaturationPoint[];
  readonly startMs: number;
}

/** How full a service is. */
export function SaturationCharts({ points, startMs }: SaturationChartsProps) {
  const times = points.map(({ atMs }) => atMs);
  const line = (name: string, colour: string, read: (point: SaturationPoint) => number | null): Line => ({
    name,
    colour,
    values: points.map(read),
  });
  const limit = (name: string, read: (point: SaturationPoint) => number): Line => ({
    ...line(name, 'text-quiet', read),
    isDashed: true,
  });
  return (
    <div class="method saturation">
      <h3>Saturation</h3>
      <Chart
        title="Admission"
        {...{ times, startMs }}
        lines={[
          line('in flight', 'accent', ({ inFlight }) => inFlight),
          limit('limit', ({ limit }) => limit),
          line('rejected/s', 'code-1', ({ rejectedPerSecond }) => rejectedPerSecond),
        ]}
        format={rate}
        minTop={10}
      />
      <Chart
        title="Database pool"
        {...{ times, startMs }}
        lines={[
          line('used', 'accent', ({ poolUsed }) => poolUsed),
          limit('max', ({ poolMax }) => poolMax),
          line('waiting', 'code-1', ({ poolPending }) => poolPending),
        ]}
        format={count}
        minTop={4}
      />
      <Chart
        title="Event loop"
        {...{ times, startMs }}
        lines={[line('utilization', 'accent', ({ eventLoopUtilization }) => eventLoopUtilization)]}
        format={percent}
        minTop={1}
      />
      <Chart
        title="Event loop delay"
        {...{ times, startMs }}
        lines={[line('p99', 'latency-99', ({ eventLoopP99Ms }) => eventLoopP99Ms)]}
        format={milliseconds}
        minTop={20}
      />
      <Chart
        title="Streams"
        {...{ times, startMs }}
        lines={[line('open', 'accent', ({ streams }) => streams)]}
        format={count}
        minTop={4}
      />
      <Chart
        title="Heap"
        {...{ times, startMs }}
        lines={[line('used', 'accent', ({ memoryBytes }) => memoryBytes ?? null)]}
        format={bytes}
        minTop={32 * 2 ** 20}
      />
    </div>
  );
}
