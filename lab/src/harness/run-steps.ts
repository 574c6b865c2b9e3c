import { withTimeout } from './with-timeout.ts';

/** No step takes a quarter of this on two cores. One that waits forever must not hold up those that come after it. */
const stepTimeoutMs = 20 * 60_000;

/**
 * Runs the steps in order, prints how each went, stops after the first that fails, and prints a count that `.ci/run`
 * adds up.
 */
export async function runSteps(
  name: string,
  steps: Readonly<Record<string, () => Promise<void> | void>>,
): Promise<void> {
  let passed = 0;
  let failed = 0;
  for (const [title, step] of Object.entries(steps)) {
    const startMs = performance.now();
    const problem = await attempt(step);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    process.stdout.write(`${problem === undefined ? 'ok  ' : 'FAIL'} ${title} (${seconds} s)\n`);
    if (problem !== undefined) {
      process.stdout.write(`${problem.trimEnd()}\n\n`);
      process.exitCode = 1;
      failed = 1;
      break;
    }
    passed += 1;
  }
  process.stdout.write(`${name}: ${passed} passed, ${failed} failed\n`);
}

async function attempt(step: () => Promise<void> | void): Promise<string | undefined> {
  try {
    await withTimeout(stepTimeoutMs, 'its end', Promise.resolve(step()));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
