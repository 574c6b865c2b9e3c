import type { BugResult } from './bugs/run-bugs.ts';
import type { RowResult } from './runner/run-scenario.ts';
import { hasFailed } from './runner/run-scenarios.ts';
import { measurementsOf } from './runner/table.ts';

/** A result as it comes in. */
export function lineOf(result: RowResult): string {
  const { row, rounds, orders, unknown, violations, unmet, settleMs, notRun } = result;
  if (notRun) return `-    ${row.name}: not run: ${notRun}`;
  const settled = `settled in ${(settleMs / 1000).toFixed(1)} s`;
  const counts = [`${rounds} rounds`, `${orders} orders`, `${unknown} unknown`];
  const figures = [...counts, settled, ...measurementsOf(result)].join(', ');
  const problems = hasFailed(result) ? `, ${violations.length} violations, ${unmet.length} unmet` : '';
  return `${hasFailed(result) ? 'FAIL' : 'ok  '} ${row.name}: ${figures}${problems}`;
}

export function bugLineOf({ bug, isCaught, evidence }: BugResult): string {
  return isCaught
    ? `ok   ${bug.name}: caught by ${bug.caughtBy}: ${evidence}`
    : `FAIL ${bug.name}: NOT caught by ${bug.caughtBy} in ${evidence}`;
}

const maxShown = 20;

/** What was wrong in the rows that failed, and how to see it again. @param options Those of the run, but for the row's name. */
export function failuresOf(results: readonly RowResult[], options: string): string[] {
  return results.filter(hasFailed).flatMap(({ row, violations, unmet }) => {
    const all = [...violations, ...unmet];
    return [
      `\n${row.name}:`,
      ...all.slice(0, maxShown).map((line) => `  ${line}`),
      ...(all.length > maxShown ? [`  and ${all.length - maxShown} more`] : []),
      `  again: npm run faults -- --only ${row.name} ${options}`,
    ];
  });
}
