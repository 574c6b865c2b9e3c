import { fail, integer, parseCommandLine } from '@acme/dev/cli';
import { soundParts } from './parts.ts';
import { plantedBugs } from './planted-bugs.ts';
import { type Counts, simulate } from './simulation.ts';

const { values } = parseCommandLine({
  call: 'npm run cells',
  summary:
    'Simulates orders of customers in one cell for stock in others, on a faulty network, and checks every invariant.',
  options: {
    runs: integer('N', 'number of runs', { from: 1, fallback: 3000 }),
    seed: integer('N', 'seed of the first run', { from: 0, fallback: 1 }),
  },
});
const { runs, seed } = values;
/** Each planted bug is caught within far fewer runs. */
const maxBugRuns = 1000;
const say = (text: string) => process.stdout.write(`${text}\n`);

try {
  const isSound = await runSound();
  const caught = [];
  for (const bug of plantedBugs) {
    const run = await firstRunWith(bug);
    caught.push(run !== undefined);
    say(
      run === undefined
        ? `FAIL ${bug.name}: not caught in ${maxBugRuns} runs: ${bug.defect}`
        : `ok   ${bug.name}: caught in run ${run.number}: ${run.error}`,
    );
  }
  const failed = [isSound, ...caught].filter((each) => !each).length;
  say(`\ncells: ${1 + plantedBugs.length - failed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
} catch (error) {
  fail(error);
}

/** Runs the simulation without a bug, up to the first violation. */
async function runSound(): Promise<boolean> {
  const startMs = performance.now();
  const totals: Record<string, number> = {};
  for (let run = 0; run < runs; run++) {
    const { errors, counts } = await simulate(String(seed + run));
    for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
    if (errors.length === 0) continue;
    say(`FAIL run ${run + 1}:`);
    for (const error of errors) say(`  ${error}`);
    say(`  again: npm run cells -- --runs 1 --seed ${seed + run}`);
    return false;
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const { orders, confirmed, spread, rejected, cancelled, crashes, disturbed } = totals as unknown as Counts;
  say(
    `ok   ${runs} runs in ${seconds} s: ${orders} orders, ${confirmed} CONFIRMED (${spread} with stock in several cells), ` +
      `${rejected} REJECTED, ${cancelled} CANCELLED; ${crashes} crashes, ${disturbed} messages lost or duplicated`,
  );
  return true;
}

async function firstRunWith({ parts, symptom }: (typeof plantedBugs)[number]) {
  for (let number = 1; number <= maxBugRuns; number++) {
    const { errors } = await simulate(String(seed + number - 1), { ...soundParts, ...parts });
    const error = errors.find((line) => symptom.test(line));
    if (error) return { number, error };
  }
  return undefined;
}
