import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hasFailed, runRows } from '../runner/run-scenarios.ts';
import { allRows } from '../scenarios/all.ts';
import type { PlantedBug } from './planted-bug.ts';
import { copyWorkspace } from './workspace-copy.ts';

export interface BugResult {
  readonly bug: PlantedBug;
  readonly isCaught: boolean;
  /** What gave it away; the rounds that it survived when nothing did. */
  readonly evidence: string;
}

export interface RunBugsOptions {
  readonly bugs: readonly PlantedBug[];
  readonly seed: string;
  readonly lanes: number;
  readonly onResult: (result: BugResult) => void;
}

/** Runs the services with one bug at a time, and the row that must catch it. Leaves nothing behind. */
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
  const rows = allRows.filter(({ name }) => name === bug.caughtBy);
  if (rows.length === 0) throw new Error(`${bug.name} is to be caught by ${bug.caughtBy}, which is no row`);
  const folder = await mkdtemp(join(tmpdir(), 'faults-bug-'));
  try {
    await chmod(folder, 0o755);
    await copyWorkspace(folder, bug.edits);
    const main = (service: string) => pathToFileURL(join(folder, 'services', service, 'src', 'main.ts')).href;
    const run = { rows, seed, isShort: true, rounds: bug.rounds, main, lanes: 1 };
    const nobody = { onRound: () => {}, onResult: () => {} };
    const { results, evidence } = await runRows({ ...run, ...nobody }, signal);
    if (evidence) await rm(evidence, { recursive: true, force: true });
    const [result] = results;
    const [first = `${result?.rounds} rounds`] = [...(result?.violations ?? []), ...(result?.unmet ?? [])];
    return { bug, isCaught: results.some(hasFailed), evidence: first };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
