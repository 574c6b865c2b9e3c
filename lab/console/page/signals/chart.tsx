import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { theme } from '../widgets/theme.tsx';
import { type ChartProps, chartOptions } from './chart-options.ts';

/** A line chart of the last minutes. Its legend has the values under the cursor, which all charts share; else the newest ones. */
export function Chart(props: ChartProps) {
  const { title, times, lines, format } = props;
  const cursor = useSignal<number | null>(null);
  const canvas = usePlot(props, (index) => {
    cursor.value = index;
  });
  const shown = cursor.value ?? times.length - 1;
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        {lines.map(({ name, colour, isDashed, values }) => (
          <span key={name} class="key">
            <i class={isDashed ? 'dashed' : ''} style={{ color: `var(--${colour})` }} />
            {name} <b>{values[shown] == null ? '–' : format(values[shown])}</b>
          </span>
        ))}
      </figcaption>
      <div class="plot" ref={canvas} role="img" aria-label={`${title}, the last minutes`} />
    </figure>
  );
}

/** Draws a plot in the element of the reference, which is returned. It is made again for other lines and in another theme. */
function usePlot(
  props: ChartProps,
  onCursor: (index: number | null) => void,
): RefObject<HTMLDivElement | null> {
  const parent = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(props);
  newest.current = props;
  const names = props.lines.map(({ name }) => name).join('\n');
  useEffect(() => {
    const element = parent.current;
    if (!element) return;
    const startMs = () => newest.current.startMs;
    const options = chartOptions(element, newest.current, startMs, onCursor);
    const created = new uPlot(options, dataOf(newest.current), element);
    plot.current = created;
    const observer = new ResizeObserver(() =>
      created.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      created.destroy();
    };
  }, [names, theme.value]);
  useEffect(() => plot.current?.setData(dataOf(newest.current)), [props.times, props.lines]);
  return parent;
}

function dataOf({ times, lines }: ChartProps): uPlot.AlignedData {
  return [times.map((atMs) => atMs / 1000), ...lines.map(({ values }) => [...values])];
}
