import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { theme } from '../widgets/theme.tsx';
import { type ChartProps, chartOptions } from './chart-options.ts';

/** A line chart of the last minutes. Its legend has the values under the cursor, which all charts share; else the newest ones. */
export function Chart(props: ChartProps) {
  const { title, times, lines, format } = props;
  const canvas = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const cursor = useSignal<number | null>(null);
  const newest = useRef(props);
  newest.current = props;
  const names = lines.map(({ name }) => name).join('\n');
  const colours = theme.value;

  useEffect(() => {
    const parent = canvas.current;
    if (!parent) return;
    const created = new uPlot(
      chartOptions(
        parent,
        newest.current,
        () => newest.current.startMs,
        (index) => {
          cursor.value = index;
        },
      ),
      dataOf(newest.current),
      parent,
    );
    plot.current = created;
    const observer = new ResizeObserver(() =>
      created.setSize({ width: parent.clientWidth, height: parent.clientHeight }),
    );
    observer.observe(parent);
    return () => {
      observer.disconnect();
      created.destroy();
    };
  }, [names, colours]);
  useEffect(() => plot.current?.setData(dataOf(newest.current)), [times, lines]);

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

function dataOf({ times, lines }: ChartProps): uPlot.AlignedData {
  return [times.map((atMs) => atMs / 1000), ...lines.map(({ values }) => [...values])];
}
