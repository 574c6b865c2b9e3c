import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { compactSvg } from './compact-svg.ts';

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

export interface LineChartOptions {
  readonly title: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Values of x. They are spaced evenly. */
  readonly x: { readonly name: string; readonly values: readonly number[] };
  readonly series: readonly Series[];
}

/** A line of the chart, with points in the order of x. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** The palette of Okabe and Ito, which colour-blind readers can tell apart, with a darker yellow. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#b8a200', '#e69f00', '#000000'];
const ink = '#24292f';
const axisStyle = {
  nameTextStyle: { color: '#57606a', fontSize: 10 },
  axisLabel: { color: '#57606a', fontSize: 10 },
  axisLine: { lineStyle: { color: '#d8dee4' } },
  axisTick: { show: false },
};
const marginPx = 12;

/** Draws a line chart, with y from 0, as an SVG on a white background. */
export function drawLineChart({ title, widthPx, heightPx, x, series }: LineChartOptions): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: widthPx, height: heightPx });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    color: colours,
    textStyle: { fontFamily: 'sans-serif' },
    title: { text: title, left: marginPx, top: 8, padding: 0, textStyle: { color: ink, fontSize: 13 } },
    legend: {
      bottom: 6,
      left: marginPx,
      padding: 0,
      icon: 'rect',
      itemWidth: 10,
      itemHeight: 4,
      textStyle: { color: ink, fontSize: 10 },
    },
    grid: {
      left: marginPx,
      right: marginPx,
      top: 34,
      bottom: 42,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    xAxis: {
      ...axisStyle,
      type: 'category',
      name: x.name,
      nameLocation: 'middle',
      nameGap: 22,
      data: x.values.map(String),
      boundaryGap: false,
    },
    yAxis: {
      ...axisStyle,
      type: 'value',
      min: 0,
      splitNumber: 4,
      splitLine: { lineStyle: { color: '#d8dee4' } },
      axisLabel: {
        ...axisStyle.axisLabel,
        formatter: (value: number) => value.toLocaleString('en-GB'),
      },
    },
    series: series.map(({ name, points }) => ({
      type: 'line',
      name,
      data: points.map(([at, value]) => [String(at), value]),
      symbol: 'circle',
      symbolSize: 6,
      lineStyle: { width: 1.5 },
      silent: true,
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return compactSvg(svg);
}
