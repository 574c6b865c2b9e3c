import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { copyRepository } from '../../copies/copy-repository.ts';
import { applyEdit } from '../../harness/apply-edit.ts';
import { hasFailed, runScenarios } from '../runner/run-scenarios.ts';
import { allScenarios } from '../scenarios/all.ts';
import type { PlantedBug } from './planted-bug.ts';

export interface BugResult {
  readonly bug: PlantedBug;
  readonly isCaught: boolean;
  /** The first failure that it caused, or the number of rounds without a failure. */
  readonly evidence: string;
}

export interface RunBugsOptions {
  readonly bugs: readonly PlantedBug[];
  readonly seed: string;
  readonly lanes: number;
  readonly onResult: (result: BugResult) => void;
}

/** Plants each bug in a copy of the repository and runs the scenario that must catch it. Removes everything it writes. */
export async function runBugs(options: RunBugsOptions, signal: AbortSignal): Promise<BugResult[]> {
  const results: BugResult[] = [];
  const waiting = options.bugs[Symbol.iterator]();
  const lane = async () => {
    for (const bug of waiting) {
      const result = await runBug(bug, options.seed, signal);
      results.push(result);
      options.onResult(result);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: options.lanes }, lane));
  const failed = lanes.find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
  return results;
}

async function runBug(bug: PlantedBug, seed: string, signal: AbortSignal): Promise<BugResult> {
  const scenarios = allScenarios.filter(({ name }) => name === bug.caughtBy);
  if (scenarios.length === 0) throw new Error(`${bug.name}: there is no scenario ${bug.caughtBy}`);
  await using copy = await copyRepository();
  for (const edit of bug.edits) {
    const path = join(copy.path, edit.file);
    await writeFile(path, applyEdit(await readFile(path, 'utf8'), edit));
  }
  const main = (service: string) =>
    pathToFileURL(join(copy.path, 'services', service, 'src', 'main.ts')).href;
  const run = { scenarios, seed, isShort: true, isPooled: false, rounds: bug.rounds, main, lanes: 1 };
  const unobserved = { onRound: () => {}, onResult: () => {} };
  const { results, evidence } = await runScenarios({ ...run, ...unobserved }, signal);
  if (evidence) await rm(evidence, { recursive: true, force: true });
  const [result] = results;
  const [first = `${result?.rounds} rounds`] = [...(result?.violations ?? []), ...(result?.unmet ?? [])];
  return { bug, isCaught: results.some(hasFailed), evidence: first };
}
