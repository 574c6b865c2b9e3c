/** Does each step, whatever becomes of the others, says how it went, and closes with their count. */
export async function runSteps(
  name: string,
  steps: Readonly<Record<string, () => Promise<void>>>,
): Promise<void> {
  let failed = 0;
  for (const [what, step] of Object.entries(steps)) {
    const startMs = performance.now();
    const problem = await step().then(
      () => undefined,
      (error: Error) => error.message,
    );
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    process.stdout.write(`${problem === undefined ? 'ok  ' : 'FAIL'} ${what} (${seconds} s)\n`);
    if (problem === undefined) continue;
    failed += 1;
    process.stdout.write(`${problem.trimEnd()}\n\n`);
  }
  process.stdout.write(`${name}: ${Object.keys(steps).length - failed} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}
