import { appendFileSync } from 'node:fs';

/** Prints what a check said of each change as a table, in the summary of a run of GitHub's too. */
export function printVerdicts(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const table = [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`)
    .join('');
  process.stdout.write(table);
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (summary) appendFileSync(summary, `## ${title}\n\n${table}\n`);
}
