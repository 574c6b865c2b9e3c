import { writeFile } from 'node:fs/promises';
import {
  fail,
  flag,
  integer,
  interruptSignal,
  parseCommandLine,
  selectByName,
  text,
  texts,
} from '@acme/dev/cli';
import { checkDatabases, openDatabases } from '../harness/check-databases.ts';
import { bugsInShort, plantedBugs } from './bugs/all.ts';
import type { PlantedBug } from './bugs/planted-bug.ts';
import { type BugResult, runBugs } from './bugs/run-bugs.ts';
import { readCheckConfig } from './check-config.ts';
import { bugLineOf, failuresOf, lineOf, summaryOf, tableOf } from './report.ts';
import type { ScenarioResult } from './runner/run-scenario.ts';
import { hasFailed, runScenarios } from './runner/run-scenarios.ts';
import { allScenarios } from './scenarios/all.ts';
import type { Scenario } from './scenarios/scenario.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);

/** Number of concurrent scenarios: most of them wait most of the time. */
const lanes = 2;

const { values } = parseCommandLine({
  call: 'npm run faults',
  summary: 'Kills, stops, cuts and delays every part of the pair under load, and checks every invariant.',
  options: {
    short: flag('fewer rounds, and a few planted bugs'),
    only: texts('NAME', 'a scenario, or a planted bug with --bugs. Default: all'),
    rounds: integer('N', 'rounds of each scenario', { from: 1 }),
    seed: text('SEED', 'seed of the random traffic. Default: a new one'),
    pooler: flag('runs the services behind PgBouncer in transaction mode, without planted bugs'),
    json: text('FILE', 'file for the results'),
    bugs: flag('plants bugs, which the invariants must catch'),
    check: flag('checks the databases of ORDERS_DATABASE_URL and INVENTORY_DATABASE_URL'),
  },
});
const { only, json, short, pooler, bugs, check, rounds, seed = String(Date.now() % 1_000_000) } = values;
const interrupted = interruptSignal();
reportUnhandledRejections();

try {
  if (check) await runCheck();
  else if (bugs) concludeWith([], await tryBugs(selectByName(plantedBugs, only)));
  else {
    const results = await runAll(selectByName(allScenarios, only));
    const inShort =
      short && !pooler && only.length === 0
        ? plantedBugs.filter(({ name }) => bugsInShort.includes(name))
        : [];
    concludeWith(results, await tryBugs(inShort));
  }
  process.exit();
} catch (error) {
  fail(error);
}

/** Checks the databases named by the environment. Sets the exit code to 1 if they disagree. */
async function runCheck(): Promise<void> {
  await using databases = openDatabases(readCheckConfig(process.env));
  const errors = await checkDatabases(databases);
  for (const error of errors) say(error);
  say(errors.length === 0 ? 'the databases agree' : `the databases disagree in ${errors.length} places`);
  if (errors.length > 0) process.exitCode = 1;
}

async function runAll(scenarios: readonly Scenario[]): Promise<readonly ScenarioResult[]> {
  say(`${scenarios.length} scenarios, seed ${seed}`);
  const { isTTY } = process.stdout;
  const { results, evidence } = await runScenarios(
    {
      scenarios,
      seed,
      rounds,
      isShort: short,
      isPooled: pooler,
      main: (service) => import.meta.resolve(`@acme/${service}/main`),
      lanes: Math.min(lanes, scenarios.length),
      onRound: (scenario, done, of) =>
        isTTY && process.stdout.write(`\r\x1b[K${scenario.name} ${done}/${of}`),
      onResult: (result) => say(`${isTTY ? '\r\x1b[K' : ''}${lineOf(result)}`),
    },
    interrupted,
  );
  const inOrder = scenarios.flatMap(
    (scenario) => results.find((result) => result.scenario === scenario) ?? [],
  );
  say(`\n${tableOf(inOrder)}`);
  if (json) await writeFile(json, `${JSON.stringify(summaryOf(inOrder), undefined, 2)}\n`);
  const options = `--seed ${seed}${rounds === undefined ? '' : ` --rounds ${rounds}`}${short ? ' --short' : ''}${pooler ? ' --pooler' : ''}`;
  for (const line of failuresOf(inOrder, options)) say(line);
  if (evidence) say(`\nhistories, logs and databases of the failed scenarios: ${evidence}`);
  return inOrder;
}

async function tryBugs(planted: readonly PlantedBug[]): Promise<readonly BugResult[]> {
  if (planted.length === 0) return [];
  say(`\n${planted.length} planted bugs, seed ${seed}`);
  const onResult = (result: BugResult) => say(bugLineOf(result));
  return runBugs({ bugs: planted, seed, lanes: Math.min(lanes, planted.length), onResult }, interrupted);
}

function concludeWith(results: readonly ScenarioResult[], tried: readonly BugResult[]): void {
  const ran = results.filter(({ notRun }) => notRun === undefined);
  const failed = ran.filter(hasFailed).length + tried.filter(({ isCaught }) => !isCaught).length;
  say(`\nfaults: ${ran.length + tried.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

/** Reports every unhandled rejection. After an interrupt, calls fail because their cluster is stopped. */
function reportUnhandledRejections(): void {
  process.on('unhandledRejection', (error) => {
    if (interrupted.aborted) return;
    say(`unhandled rejection: ${error instanceof Error ? error.stack : error}`);
    process.exitCode = 1;
  });
}
