import { markdownTable } from '../harness/markdown-table.ts';
import type { BugResult } from './bugs/run-bugs.ts';
import type { ScenarioResult } from './runner/run-scenario.ts';
import { hasFailed } from './runner/run-scenarios.ts';

/** Formats the result of a scenario as a line. */
export function lineOf(result: ScenarioResult): string {
  const { scenario, rounds, orders, unknown, violations, unmet, settleMs, notRun } = result;
  if (notRun) return `-    ${scenario.name}: not run: ${notRun}`;
  const counts = [`${rounds} rounds`, `${orders} orders`, `${unknown} unknown`];
  const figures = [...counts, `settled in ${seconds(settleMs)}`, ...measurementsOf(result)].join(', ');
  const problems = hasFailed(result) ? `, ${violations.length} violations, ${unmet.length} unmet` : '';
  return `${hasFailed(result) ? 'FAIL' : 'ok  '} ${scenario.name}: ${figures}${problems}`;
}

/** Formats the result of a planted bug as a line. */
export function bugLineOf({ bug, isCaught, evidence }: BugResult): string {
  return isCaught
    ? `ok   ${bug.name}: caught by ${bug.caughtBy}: ${evidence}`
    : `FAIL ${bug.name}: NOT caught by ${bug.caughtBy} in ${evidence}`;
}

const maxShown = 20;

/**
 * Lists the failures of each failed scenario and the command that repeats it.
 *
 * @param options Options of the run, without the scenario's name.
 */
export function failuresOf(results: readonly ScenarioResult[], options: string): string[] {
  return results.filter(hasFailed).flatMap(({ scenario, violations, unmet }) => {
    const all = [...violations, ...unmet];
    return [
      `\n${scenario.name}:`,
      ...all.slice(0, maxShown).map((line) => `  ${line}`),
      ...(all.length > maxShown ? [`  and ${all.length - maxShown} more`] : []),
      `  again: npm run faults -- --only ${scenario.name} ${options}`,
    ];
  });
}

/** Formats the results as a Markdown table. */
export function tableOf(results: readonly ScenarioResult[]): string {
  const head = ['fault', 'rounds', 'orders', 'unknown', 'violations', 'settled in', ''];
  const rows = results.map((result) => {
    const { scenario, rounds, orders, unknown, violations, settleMs, notRun } = result;
    const title = `${scenario.name}: ${scenario.fault}`;
    if (notRun) return [title, '-', '-', '-', '-', '-', `not run: ${notRun}`];
    const counts = [rounds, orders, unknown, violations.length].map(String);
    return [title, ...counts, seconds(settleMs), remarksOn(result)];
  });
  return markdownTable(head, rows);
}

function remarksOn(result: ScenarioResult): string {
  const { unmet, notes } = result;
  const remarks = [
    hasFailed(result) ? 'FAILED' : '',
    unmet.length > 0 ? `${unmet.length} unmet` : '',
    ...notes.slice(-1),
    ...measurementsOf(result),
  ];
  return remarks.filter(Boolean).join('; ');
}

/** Formats each measurement, for example `answered in 9 to 62 ms (p50, p99)`. */
function measurementsOf({ measured }: ScenarioResult): string[] {
  return measured.map(({ name, p50Ms, p99Ms }) => `${name} in ${p50Ms} to ${p99Ms} ms (p50, p99)`);
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}

/** Returns the content of the `--json` file: totals, and one object per scenario. */
export function summaryOf(results: readonly ScenarioResult[]) {
  const total = (of: (result: ScenarioResult) => number) =>
    results.reduce((sum, result) => sum + of(result), 0);
  return {
    violations: total(({ violations }) => violations.length),
    lost: total(({ lost }) => lost),
    unmet: total(({ unmet }) => unmet.length),
    rows: results.map((result) => ({
      name: result.scenario.name,
      rounds: result.rounds,
      orders: result.orders,
      unknown: result.unknown,
      violations: result.violations.length,
      unmet: result.unmet.length,
      settle_ms: Math.round(result.settleMs),
      ...Object.fromEntries(
        result.measured.map(({ name, count, p50Ms, p99Ms, maxMs }) => [
          name,
          { count, p50_ms: p50Ms, p99_ms: p99Ms, max_ms: maxMs },
        ]),
      ),
      ...(result.notRun ? { not_run: result.notRun } : {}),
    })),
  };
}
