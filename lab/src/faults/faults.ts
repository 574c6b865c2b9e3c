import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { fail } from '@acme/dev/cli/fail';
import { named } from '@acme/dev/cli/named';
import { untilInterrupted } from '@acme/dev/cli/until-interrupted';
import { bugsInShort, plantedBugs } from './bugs/all.ts';
import type { PlantedBug } from './bugs/planted-bug.ts';
import { type BugResult, runBugs } from './bugs/run-bugs.ts';
import { readCheckConfig } from './check-config.ts';
import { openStandingBooks, standingErrors } from './check-databases.ts';
import { bugLineOf, failuresOf, lineOf } from './report.ts';
import type { RowResult } from './runner/run-scenario.ts';
import { hasFailed, runRows } from './runner/run-scenarios.ts';
import { summaryOf, tableOf } from './runner/table.ts';
import { allRows } from './scenarios/all.ts';
import type { Row } from './scenarios/scenario.ts';

const usage = `usage: npm run faults -- [--short] [--only NAME]… [--rounds N] [--seed S] [--json FILE]
       npm run faults -- --bugs [--only NAME]… [--seed S]
       npm run faults -- --check, with ORDERS_DATABASE_URL and INVENTORY_DATABASE_URL`;

const say = (text: string) => process.stdout.write(`${text}\n`);

/** Rows that run at a time: most of them wait most of the time. */
const lanes = 2;

const { only, json, short, bugs, check, ...values } = readArguments();
const seed = values.seed ?? String(Date.now() % 1_000_000);
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) fail(usage);
const interrupted = untilInterrupted();
reportUnhandledRejections();

try {
  if (check) await checkBooks();
  else if (bugs) concludeWith([], await tryBugs(named(plantedBugs, only)));
  else {
    const results = await tryRows(named(allRows, only));
    const inShort = short && !only ? plantedBugs.filter(({ name }) => bugsInShort.includes(name)) : [];
    concludeWith(results, await tryBugs(inShort));
  }
  process.exit();
} catch (error) {
  fail(error);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'string' },
        short: { type: 'boolean', default: false },
        bugs: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
      },
    }).values;
  } catch {
    return fail(usage);
  }
}

/** The checker alone, on databases that are somewhere. */
async function checkBooks(): Promise<void> {
  await using books = openStandingBooks(readCheckConfig(process.env));
  const errors = await standingErrors(books);
  for (const error of errors) say(error);
  say(errors.length === 0 ? 'the books are right' : `the books are wrong, in ${errors.length} places`);
  if (errors.length > 0) process.exitCode = 1;
}

async function tryRows(rows: readonly Row[]): Promise<readonly RowResult[]> {
  say(`${rows.length} rows, seed ${seed}`);
  const { isTTY } = process.stdout;
  const { results, evidence } = await runRows(
    {
      rows,
      seed,
      rounds,
      isShort: short,
      main: (service) => import.meta.resolve(`@acme/${service}/main`),
      lanes: Math.min(lanes, rows.length),
      onRound: (row, done, of) => isTTY && process.stdout.write(`\r\x1b[K${row.name} ${done}/${of}`),
      onResult: (result) => say(`${isTTY ? '\r\x1b[K' : ''}${lineOf(result)}`),
    },
    interrupted,
  );
  const inOrder = rows.flatMap((row) => results.find((result) => result.row === row) ?? []);
  say(`\n${tableOf(inOrder)}`);
  if (json) await writeFile(json, `${JSON.stringify(summaryOf(inOrder), undefined, 2)}\n`);
  const options = `--seed ${seed}${rounds === undefined ? '' : ` --rounds ${rounds}`}${short ? ' --short' : ''}`;
  for (const line of failuresOf(inOrder, options)) say(line);
  if (evidence) say(`\nhistories, logs and databases of the rows that failed: ${evidence}`);
  return inOrder;
}

async function tryBugs(planted: readonly PlantedBug[]): Promise<readonly BugResult[]> {
  if (planted.length === 0) return [];
  say(`\n${planted.length} planted bugs, seed ${seed}`);
  const onResult = (result: BugResult) => say(bugLineOf(result));
  return runBugs({ bugs: planted, seed, lanes: Math.min(lanes, planted.length), onResult }, interrupted);
}

function concludeWith(results: readonly RowResult[], tried: readonly BugResult[]): void {
  const ran = results.filter(({ notRun }) => notRun === undefined);
  const failed = ran.filter(hasFailed).length + tried.filter(({ isCaught }) => !isCaught).length;
  say(`\nfaults: ${ran.length + tried.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

/** What was under way fails as its rig is stopped, and is not an error then. */
function reportUnhandledRejections(): void {
  process.on('unhandledRejection', (error) => {
    if (interrupted.aborted) return;
    say(`an error that nobody awaited: ${error instanceof Error ? error.stack : error}`);
    process.exitCode = 1;
  });
}
