import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { fail } from './fail.ts';
import { checkStandingBooks } from './faults/check-standing-books.ts';
import type { Row } from './faults/row.ts';
import { allRows } from './faults/rows/all.ts';
import type { RowResult } from './faults/run-row.ts';
import { hasFailed, runRows } from './faults/run-rows.ts';
import { summaryOf, tableOf } from './faults/table.ts';

const usage = `usage: npm run faults -- [--short] [--only NAME] [--rounds N] [--seed S] [--json FILE]
       npm run faults -- --check, with ORDERS_DATABASE_URL and INVENTORY_DATABASE_URL`;

const say = (text: string) => process.stdout.write(`${text}\n`);

/** Rows that run at a time. */
const lanes = 2;

try {
  const { values } = readArguments();
  const { seed = String(Date.now() % 1_000_000) } = values;
  if (values.check) await checkStandingBooks(process.env, say);
  else await run(rowsNamed(values.only), seed, values);
  process.exit();
} catch (error) {
  fail(error);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        rounds: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'string' },
        short: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
      },
    });
  } catch {
    return fail(usage);
  }
}

function rowsNamed(only: string | undefined): readonly Row[] {
  const rows = allRows.filter(({ name }) => only === undefined || name === only);
  if (rows.length > 0) return rows;
  return fail(`there is no row ${only}. The rows are:\n  ${allRows.map(({ name }) => name).join('\n  ')}`);
}

interface Values {
  readonly rounds?: string;
  readonly json?: string;
  readonly short: boolean;
}

async function run(rows: readonly Row[], seed: string, { rounds: asked, json, short }: Values) {
  const rounds = asked === undefined ? undefined : Number(asked);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) fail(usage);
  say(`${rows.length} rows, seed ${seed}`);
  const progress = process.stdout.isTTY
    ? (row: Row, done: number, of: number) => process.stdout.write(`\r\x1b[K${row.name} ${done}/${of}`)
    : () => {};
  const onResult = (result: RowResult) => {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
    say(lineOf(result));
  };
  const { results, evidence } = await runRows(
    {
      rows,
      seed,
      rounds,
      isShort: short,
      main: (service) => import.meta.resolve(`@acme/${service}/main`),
      lanes: Math.min(lanes, rows.length),
      onRound: progress,
      onResult,
    },
    untilInterrupted(),
  );
  const inOrder = rows.flatMap((row) => results.find((result) => result.row === row) ?? []);
  say(`\n${tableOf(inOrder)}\n`);
  if (json) await writeFile(json, `${JSON.stringify(summaryOf(inOrder), undefined, 2)}\n`);
  const failed = inOrder.filter(hasFailed);
  say(`faults: ${inOrder.length - failed.length} passed, ${failed.length} failed`);
  if (failed.length === 0) return;
  for (const { row, violations, unmet } of failed) {
    say(`\n${row.name}:\n  ${[...violations, ...unmet].slice(0, 20).join('\n  ')}`);
    const more = asked === undefined ? '' : ` --rounds ${asked}`;
    say(`  again: npm run faults -- --only ${row.name} --seed ${seed}${more}${short ? ' --short' : ''}`);
  }
  say(`\nhistories, logs and databases of these rows: ${evidence}`);
  process.exitCode = 1;
}

function lineOf(result: RowResult): string {
  const { row, rounds, orders, unknown, violations, unmet, settleMs, notRun } = result;
  if (notRun) return `-    ${row.name}: not run: ${notRun}`;
  const figures = `${rounds} rounds, ${orders} orders, ${unknown} unknown, settled in ${(settleMs / 1000).toFixed(1)} s`;
  const problems = hasFailed(result) ? `, ${violations.length} violations, ${unmet.length} unmet` : '';
  return `${hasFailed(result) ? 'FAIL' : 'ok  '} ${row.name}: ${figures}${problems}`;
}

/** Ctrl-C stops and removes everything first; a second one does not wait. */
function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(130);
      say('\nstopping');
      interrupted.abort(new Error('interrupted'));
    });
  return interrupted.signal;
}
