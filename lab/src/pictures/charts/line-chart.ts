import { LineChart, type LineSeriesOption } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkAreaComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { compactSvg } from './compact-svg.ts';
import { legendColumns } from './legend-columns.ts';

use([LineChart, GridComponent, LegendComponent, MarkAreaComponent, TitleComponent, SVGRenderer]);

export interface LineChartOptions {
  readonly title: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly x: XAxis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Stretches of x that something is to be said of. */
  readonly bands?: readonly Band[];
}

export interface Series {
  readonly name: string;
  /** In the order of x. Where a value is null the line has a gap. */
  readonly points: readonly (readonly [x: number, y: number | null])[];
}

export interface Band {
  readonly from: number;
  readonly to: number;
  readonly colour: string;
}

interface Axis {
  readonly name?: string;
  /** As the values have it when absent. */
  readonly min?: number;
  readonly max?: number;
  readonly label: (value: number) => string;
}

export interface XAxis extends Axis {
  /** All that there are, at equal distances, each with a dot on the lines; a continuous axis when absent. */
  readonly values?: readonly number[];
}

/** Okabe's and Ito's colours, which hardly anybody takes for one another, the yellow darker; then more of the kind. */
const colours = [
  ...['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#b8a200', '#e69f00', '#000000'],
  ...['#8c564b', '#7f7f7f', '#6a3d9a', '#1b5e20', '#c2185b', '#5d4037', '#90a4ae', '#827717'],
];
const ink = '#24292f';
const paleInk = '#57606a';
const gridInk = '#d8dee4';
const fontPx = 10;
/** How much of the height it may take. */
const largestLegend = 0.4;
const margin = { sides: 12, top: 34, bottom: 6 };

/** Lines over one x, as an SVG on a white ground. */
export function drawLineChart({
  title,
  widthPx,
  heightPx,
  x,
  y,
  series,
  bands = [],
}: LineChartOptions): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: widthPx, height: heightPx });
  const legend = legendColumns(
    series.map(({ name }) => name),
    { widthPx: widthPx - 2 * margin.sides, heightPx: heightPx * largestLegend, fontPx },
  );
  const named = highest(series, legend.count);
  const note =
    named.length < series.length ? ` (named: the ${named.length} highest of ${series.length})` : '';
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    color: colours,
    textStyle: { fontFamily: 'sans-serif' },
    title: {
      text: title + note,
      left: margin.sides,
      top: 8,
      padding: 0,
      textStyle: { color: ink, fontSize: 13 },
    },
    legend: {
      data: named,
      bottom: margin.bottom,
      left: margin.sides,
      width: widthPx - 2 * margin.sides,
      padding: 0,
      icon: 'rect',
      itemWidth: legend.swatchPx,
      itemHeight: 4,
      itemGap: legend.gapPx,
      selectedMode: false,
      // A ground of its own gives each name the width of its column; otherwise ECharts guesses at the font's.
      textStyle: {
        color: ink,
        fontSize: fontPx,
        width: legend.textPx,
        overflow: 'truncate',
        backgroundColor: '#ffffff',
      },
    },
    grid: {
      left: margin.sides,
      right: margin.sides,
      top: margin.top + (y.name ? 14 : 0),
      bottom: legend.heightPx + margin.bottom + (x.name ? 20 : 6),
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    xAxis: {
      ...axisOf(x),
      ...(x.values
        ? { type: 'category', data: x.values.map(String), boundaryGap: false }
        : { type: 'value' }),
      splitLine: { show: false },
      nameLocation: 'middle',
      nameGap: 22,
    },
    yAxis: { ...axisOf(y), type: 'value', splitNumber: 4, scale: y.min === undefined },
    series: series.map(
      ({ name, points }, index): LineSeriesOption => ({
        type: 'line',
        name,
        data: points.map(([at, value], place) => ({
          value: [x.values ? String(at) : at, value ?? '-'],
          symbol: x.values || isAlone(points, place) ? 'circle' : 'none',
        })),
        symbolSize: x.values ? 6 : 3,
        lineStyle: { width: 1.5 },
        silent: true,
        emphasis: { disabled: true },
        ...(index === 0 && {
          markArea: {
            silent: true,
            data: bands.map(({ from, to, colour }) => [
              { xAxis: from, itemStyle: { color: colour } },
              { xAxis: to },
            ]),
          },
        }),
      }),
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return compactSvg(svg);
}

function axisOf({ name, min, max, label }: Axis) {
  return {
    ...(name && { name }),
    nameTextStyle: { color: paleInk, fontSize: fontPx, align: 'left' as const },
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    axisLabel: {
      color: paleInk,
      fontSize: fontPx,
      // A category comes as its text.
      formatter: (value: number | string) => label(Number(value)),
      hideOverlap: true,
    },
    axisLine: { lineStyle: { color: gridInk } },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: gridInk } },
  };
}

/** The names of the series that reach the highest, in their own order. */
function highest(series: readonly Series[], count: number): string[] {
  const top = (one: Series) => Math.max(...one.points.map(([, value]) => value ?? Number.NEGATIVE_INFINITY));
  const shown = new Set(series.toSorted((one, other) => top(other) - top(one)).slice(0, count));
  return series.filter((one) => shown.has(one)).map(({ name }) => name);
}

/** Whether a point has gaps on both sides: no line would show it. */
function isAlone(points: Series['points'], place: number): boolean {
  const isGap = (at: number) => (points[at]?.[1] ?? null) === null;
  return isGap(place - 1) && isGap(place + 1);
}
