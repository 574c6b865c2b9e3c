import { appendFileSync } from 'node:fs';

/** Undefined when a check passes, otherwise its problems, or the reason why it was skipped. CI requires every check. */
export type Result = string | { readonly skipped: string } | undefined;

/** An error that a check throws is a problem too. */
export type Check = () => Result | Promise<Result>;

/** Runs the checks in turn, prints a line for each, and sets the exit code to 1 if one fails. */
export async function runChecks(checks: Readonly<Record<string, Check>>): Promise<void> {
  const lines: string[] = [];
  const report = (line: string) => {
    lines.push(line);
    process.stdout.write(`${line}\n`);
  };
  let passed = 0;
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    const startMs = performance.now();
    const result = await attempt(check);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    if (result === undefined) {
      passed += 1;
      report(`ok   ${name} (${seconds} s)`);
    } else if (typeof result === 'object') report(`skip ${name}: ${result.skipped}`);
    else {
      failed += 1;
      report(`FAIL ${name} (${seconds} s)\n${result.trimEnd()}\n`);
    }
  }
  report(`checks: ${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;

  // GitHub shows the summary on the page of the run.
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (summary) appendFileSync(summary, `## svc check\n\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n`);
}

async function attempt(check: Check): Promise<Result> {
  try {
    const result = await check();
    return typeof result === 'object' && process.env.CI ? `${result.skipped}, which CI requires` : result;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
