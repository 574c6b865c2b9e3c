import { markdownTable } from '../harness/markdown-table.ts';
import type { AttackResult } from './run-attack.ts';

const head = ['attack', 'idle', 'peak', 'kept', 'calls', 'p99', 'longest', 'resume', 'failed', 'log', ''];

/** Formats the results as a Markdown table. Memory is in MiB, times are in ms. */
export function tableOf(results: readonly AttackResult[]): string {
  const rows = results.map((result) => [result.attack.name, ...cellsOf(result), verdictOf(result)]);
  return markdownTable(head, rows);
}

/** Formats one result as a line, with each failure in a line below. */
export function lineOf(result: AttackResult): string {
  const { attack, figures, notes, failures, tookMs } = result;
  const bystander = figures?.bystander;
  const measured = figures
    ? [
        `peak ${Math.round(figures.peakMiB)} MiB (idle ${Math.round(figures.idleMiB)})`,
        `bystander p99 ${Math.round(bystander?.p99Ms ?? 0)} ms, longest ${Math.round(bystander?.longestMs ?? 0)} ms`,
        `log ${bytesOf(figures.logBytes)}`,
      ]
    : [];
  const text = [...measured, ...notes, `${(tookMs / 1000).toFixed(1)} s`].join('; ');
  return [
    `${verdictOf(result)} ${attack.name}: ${text}`,
    ...failures.map((failure) => `       ${failure}`),
  ].join('\n');
}

function cellsOf({ figures }: AttackResult): string[] {
  if (!figures) return head.slice(1, -1).map(() => '-');
  const { idleMiB, peakMiB, keptMiB, logBytes, bystander } = figures;
  const { calls, p99Ms, longestMs, longestResumeMs, failures } = bystander;
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const numbers = [idleMiB, peakMiB, keptMiB, calls, p99Ms, longestMs, longestResumeMs, failed];
  return [...numbers.map((value) => String(Math.round(value))), bytesOf(logBytes)];
}

function verdictOf({ failures }: AttackResult): string {
  return failures.length === 0 ? 'PASS' : 'FAIL';
}

function bytesOf(count: number): string {
  return count < 1024 * 1024 ? `${Math.round(count / 1024)} KiB` : `${(count / 1024 / 1024).toFixed(1)} MiB`;
}
