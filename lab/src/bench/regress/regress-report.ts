import { markdownTable } from '../../harness/markdown-table.ts';
import { machine } from '../load/figures.ts';
import { hasProcessorTimes } from '../turns/processor-time.ts';
import type { Change } from './change.ts';

/** Formats the comparison as Markdown. */
export function regressReport(base: string, changes: ReadonlyMap<string, Change>): string {
  const unit = hasProcessorTimes ? 'processor time' : 'time';
  const signed = (percent: number) => `${percent < 0 ? '' : '+'}${percent.toFixed(1)}`;
  const rows = [...changes].map(([name, { base, head, percent, low, high, verdict }]) => [
    name,
    base.toFixed(1),
    head.toFixed(1),
    `${signed(percent)} %`,
    `${signed(low)} to ${signed(high)} %`,
    verdict === 'within the noise' ? verdict : `**${verdict}**`,
  ]);
  return [
    `Compared with ${base}, ${machine}:`,
    '',
    markdownTable([unit, 'base', 'this checkout', 'change', '99 % interval', 'verdict'], rows),
    '',
    'Lower quartiles of alternating turns. A change counts if its interval, which is the bootstrap interval of the ratio of the lower quartiles, is wholly beyond 3 %.',
    '',
  ].join('\n');
}
