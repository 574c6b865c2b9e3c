import type { Dashboard, GridPosition, Panel } from '@acme/dev/check/observability/dashboard';
import { type Band, drawLineChart, type Series } from './charts/line-chart.ts';
import { composePicture, type Part, textPart } from './charts/picture.ts';
import { unitLabel } from './unit-label.ts';

export interface DrawOptions {
  /** Of a panel, by its queries; x is seconds since the start. */
  readonly seriesOf: (panel: Panel) => readonly Series[];
  readonly seconds: number;
  /** Under the title. */
  readonly note: string;
  readonly spells: readonly Spell[];
}

/** Some time in which something was wrong. */
export interface Spell extends Band {
  readonly what: string;
}

const columnPx = 70;
const rowPx = 42;
const gapPx = 8;
const headPx = 64;
const gridColumns = 24;

/** A dashboard's panels where Grafana would put them, each with what its queries gave. */
export function drawDashboard({ title, panels }: Dashboard, options: DrawOptions): string {
  const { note, spells } = options;
  const heightPx = headPx + Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * rowPx;
  const head: Part[] = [
    { leftPx: 12, topPx: 10, svg: textPart(title, { fontPx: 20, isBold: true }) },
    { leftPx: 200, topPx: 14, svg: textPart(note, { fontPx: 12, colour: '#57606a' }) },
    ...spells.flatMap(({ what, colour, from, to }, index) => {
      const leftPx = 12 + index * 560;
      const swatch = `<svg><rect width="22" height="14" fill="${colour}"/></svg>`;
      return [
        { leftPx, topPx: 42, svg: swatch },
        { leftPx: leftPx + 28, topPx: 43, svg: textPart(`${from} to ${to} s: ${what}`, { fontPx: 12 }) },
      ];
    }),
  ];
  const parts = panels.map((panel) => {
    const { leftPx, topPx, ...size } = boxOf(panel.gridPos);
    if (panel.type === 'row')
      return { leftPx, topPx: topPx + 8, svg: textPart(panel.title, { fontPx: 15, isBold: true }) };
    return { leftPx, topPx, svg: drawPanel(panel, size, options) };
  });
  return composePicture({ widthPx: gridColumns * columnPx + gapPx, heightPx: heightPx + gapPx }, [
    ...head,
    ...parts,
  ]);
}

interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Where a panel is in the picture. */
export function boxOf({
  x,
  y,
  w,
  h,
}: GridPosition): Size & { readonly leftPx: number; readonly topPx: number } {
  return {
    leftPx: x * columnPx + gapPx,
    topPx: headPx + y * rowPx + gapPx,
    widthPx: w * columnPx - gapPx,
    heightPx: h * rowPx - gapPx,
  };
}

function drawPanel(panel: Panel, size: Size, { seriesOf, seconds, spells }: DrawOptions): string {
  const { type, title, fieldConfig } = panel;
  const { unit = 'short', min, max } = fieldConfig?.defaults ?? {};
  const series = seriesOf(panel);
  const label = (value: number) => unitLabel(unit, value);
  // A single figure: the last one, over how it came to that.
  const last = type === 'stat' ? series[0]?.points.findLast(([, value]) => value !== null)?.[1] : undefined;
  return drawLineChart({
    ...size,
    title: last === undefined || last === null ? title : `${title}: ${label(last)}`,
    x: { min: 0, max: seconds, label: (value) => `${value} s` },
    y: { ...(min !== undefined && { min }), ...(max !== undefined && { max }), label },
    series,
    bands: spells,
  });
}
