import { writeFile } from 'node:fs/promises';
import { drawLineChart, type Series } from '../charts/line-chart.ts';
import { composePicture, textPart } from '../charts/picture.ts';
import { machine, median } from './figures.ts';

/** One measurement. */
export interface CallersOutcome {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** Repeated measurements of several contenders at several numbers of callers. */
export interface CallersFigures {
  add(name: string, callers: number, outcome: CallersOutcome): void;
  /** Returns the median of a figure for each number of callers. */
  medians(name: string, figure: keyof CallersOutcome): ReadonlyMap<number, number>;
  /** Writes an SVG with throughput and p99 against the number of callers. */
  writeSvg(
    file: string,
    about: { readonly title: string; readonly unit: string; readonly how: string },
  ): Promise<void>;
}

const chart = { widthPx: 560, heightPx: 380 };
const headPx = 56;

export function collectCallersFigures(): CallersFigures {
  const outcomes = new Map<string, Map<number, CallersOutcome[]>>();
  const medians: CallersFigures['medians'] = (name, figure) =>
    new Map(
      [...(outcomes.get(name) ?? [])].map(([callers, all]) => [
        callers,
        median(all.map((outcome) => outcome[figure])),
      ]),
    );
  const seriesOf = (figure: keyof CallersOutcome): Series[] =>
    [...outcomes.keys()].map((name) => ({ name, points: [...medians(name, figure)] }));
  return {
    add: (name, callers, outcome) => {
      const byCallers = outcomes.get(name) ?? new Map<number, CallersOutcome[]>();
      outcomes.set(name, byCallers.set(callers, [...(byCallers.get(callers) ?? []), outcome]));
    },
    medians,
    writeSvg: async (file, { title, unit, how }) => {
      const values = [...new Set([...outcomes.values()].flatMap((byCallers) => [...byCallers.keys()]))];
      const x = { name: 'callers', values };
      const rates = { ...chart, title: `${unit} a second`, x, series: seriesOf('perSecond') };
      const times = { ...chart, title: 'p99, ms', x, series: seriesOf('p99Ms') };
      const svg = composePicture({ widthPx: 2 * chart.widthPx, heightPx: headPx + chart.heightPx }, [
        { leftPx: 12, topPx: 10, svg: textPart(title, { fontPx: 16, isBold: true }) },
        { leftPx: 12, topPx: 36, svg: textPart(`${machine}; ${how}`, { fontPx: 11, colour: '#57606a' }) },
        { leftPx: 0, topPx: headPx, svg: drawLineChart(rates) },
        { leftPx: chart.widthPx, topPx: headPx, svg: drawLineChart(times) },
      ]);
      await writeFile(file, svg);
    },
  };
}
