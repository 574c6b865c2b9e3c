/** Of a character, in units of the font's size: on the wide side, since fonts differ. */
const characterWidth = { capital: 0.76, other: 0.54 };
const swatchPx = 10;
/** Between items, both ways. */
const gapPx = 5;
/** What ECharts leaves between a swatch and its text. */
const besideSwatchPx = 5;

export interface LegendColumns {
  readonly swatchPx: number;
  readonly gapPx: number;
  /** The same for all. */
  readonly textPx: number;
  readonly heightPx: number;
  /** How many of the names there is room for. */
  readonly count: number;
}

export interface LegendRoom {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fontPx: number;
}

/** A legend as a table, of as many columns as the longest name leaves room for. */
export function legendColumns(
  names: readonly string[],
  { widthPx, heightPx, fontPx }: LegendRoom,
): LegendColumns {
  const longestPx = Math.ceil(Math.max(0, ...names.map(widthOf)) * fontPx);
  const aroundPx = swatchPx + besideSwatchPx + gapPx;
  const columns = Math.max(1, Math.floor((widthPx + gapPx) / (longestPx + aroundPx)));
  const textPx = Math.floor((widthPx + gapPx) / columns) - aroundPx;
  const rowPx = fontPx + gapPx;
  const rows = Math.min(Math.ceil(names.length / columns), Math.floor(heightPx / rowPx));
  return { swatchPx, gapPx, textPx, heightPx: rows * rowPx, count: Math.min(names.length, rows * columns) };
}

function widthOf(name: string): number {
  const capitals = name.replaceAll(/[^A-Z_]/g, '').length;
  return capitals * characterWidth.capital + (name.length - capitals) * characterWidth.other;
}
