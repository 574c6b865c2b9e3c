import type { RowResult } from './run-scenario.ts';
import { hasFailed } from './run-scenarios.ts';

/** The results as a table, in Markdown, which reads well on a terminal, too. */
export function tableOf(results: readonly RowResult[]): string {
  const head = ['fault', 'rounds', 'orders', 'unknown', 'violations', 'settled in', ''];
  const cells = results.map((result) => {
    const { row, rounds, orders, unknown, violations, unmet, settleMs, notes, notRun } = result;
    if (notRun) return [`${row.name}: ${row.fault}`, '-', '-', '-', '-', '-', `not run: ${notRun}`];
    return [
      `${row.name}: ${row.fault}`,
      `${rounds}`,
      `${orders}`,
      `${unknown}`,
      `${violations.length}`,
      `${(settleMs / 1000).toFixed(1)} s`,
      [
        hasFailed(result) ? 'FAILED' : '',
        unmet.length > 0 ? `${unmet.length} unmet` : '',
        ...notes.slice(-1),
        ...measurementsOf(result),
      ]
        .filter(Boolean)
        .join('; '),
    ];
  });
  const widths = head.map((text, column) =>
    Math.max(text.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(head), rule, ...cells.map(line)].join('\n');
}

/** A text each: `answered in 9 to 62 ms (p50, p99)`. */
export function measurementsOf({ measured }: Pick<RowResult, 'measured'>): string[] {
  return measured.map(({ name, p50Ms, p99Ms }) => `${name} in ${p50Ms} to ${p99Ms} ms (p50, p99)`);
}

/** What `--json` writes: totals, and a row each. */
export function summaryOf(results: readonly RowResult[]) {
  const total = (of: (result: RowResult) => number) => results.reduce((sum, result) => sum + of(result), 0);
  return {
    violations: total(({ violations }) => violations.length),
    lost: total(({ lost }) => lost),
    unmet: total(({ unmet }) => unmet.length),
    rows: results.map(({ row, rounds, orders, unknown, violations, unmet, settleMs, measured, notRun }) => ({
      name: row.name,
      rounds,
      orders,
      unknown,
      violations: violations.length,
      unmet: unmet.length,
      settle_ms: Math.round(settleMs),
      ...Object.fromEntries(
        measured.map(({ name, count, p50Ms, p99Ms, maxMs }) => [
          name,
          { count, p50_ms: p50Ms, p99_ms: p99Ms, max_ms: maxMs },
        ]),
      ),
      ...(notRun ? { not_run: notRun } : {}),
    })),
  };
}
