import type uPlot from 'uplot';

/** A line of a chart. */
export interface Line {
  readonly name: string;
  /** Name of a colour of style/tokens.css. */
  readonly colour: string;
  readonly isDashed?: boolean;
  /** A value for each time. Null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly title: string;
  readonly times: readonly number[];
  /** Where the axis of time begins, in Unix ms. It ends now. */
  readonly startMs: number;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** The least upper end of the axis, so that an idle chart does not magnify noise. */
  readonly minTop: number;
}

const font = '11px Inter, system-ui, sans-serif';
const cursorGroup = 'signals';
const tickSpacingPx = 90;

/** Returns uPlot's options. Colours are read from the element's style: uPlot draws on a canvas, which takes no CSS variables. */
export function chartOptions(
  parent: HTMLElement,
  { lines, format, minTop }: ChartProps,
  startMs: () => number,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(parent);
  const colour = (name: string) => style.getPropertyValue(`--${name}`);
  const axis = { stroke: colour('text-quiet'), font, ticks: { show: false } };
  const grid = { stroke: colour('line'), width: 1 };
  return {
    width: parent.clientWidth,
    height: parent.clientHeight,
    padding: [8, 0, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: cursorGroup, setSeries: false },
      drag: { x: false, y: false },
      points: { show: false },
      y: false,
    },
    scales: {
      x: { time: true, range: () => [startMs() / 1000, Date.now() / 1000] },
      y: { range: (_plot, _min, max) => [0, Math.max(minTop, max) * 1.08] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 22,
        gap: 4,
        space: tickSpacingPx,
        values: (_plot, times) => times.map((seconds) => clock.format(seconds * 1000)),
      },
      {
        ...axis,
        grid,
        size: 52,
        gap: 6,
        space: 28,
        values: (_plot, values) => values.map((value) => format(value)),
      },
    ],
    series: [
      {},
      ...lines.map(({ name, colour: token, isDashed }) => ({
        label: name,
        stroke: colour(token),
        width: 1.5,
        points: { show: true, size: 3, fill: colour(token), filter: isolated },
        ...(isDashed && { dash: [4, 3] }),
      })),
    ],
    hooks: {
      setCursor: [({ cursor: { idx, left = -1 } }) => onCursor(left < 0 ? null : (idx ?? null))],
    },
  };
}

const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** Returns the points between two gaps, which no line connects. */
function isolated(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  return [...values.keys()].filter(
    (at) => values[at] != null && values[at - 1] == null && values[at + 1] == null,
  );
}
