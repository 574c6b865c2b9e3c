import { parseArgs } from 'node:util';
import { fail, interruptSignal, selectByName } from '@acme/dev/cli';
import { allAttacks } from './attacks/all.ts';
import { runAttacks } from './run-attacks.ts';
import { lineOf, tableOf } from './table.ts';

const usage = 'usage: npm run hostile -- [--short] [--only NAME]… [--seed S]';
const say = (text: string) => process.stdout.write(`${text}\n`);

const { short: isShort, only, seed = String(Date.now() % 1_000_000) } = readArguments();
const attacks = selectByName(allAttacks, only);
const interrupted = interruptSignal();
if (process.platform !== 'linux') fail('hostile reads memory from /proc: it runs on Linux');

try {
  say(`${attacks.length} attacks, seed ${seed}`);
  const onResult = (result: Parameters<typeof lineOf>[0]) => say(lineOf(result));
  const { results, evidence } = await runAttacks({ attacks, isShort, seed, onResult }, interrupted);
  say(`\n${tableOf(results)}`);
  const failed = results.filter(({ failures }) => failures.length > 0);
  for (const { attack } of failed)
    say(`again: npm run hostile -- --only ${attack.name} --seed ${seed}${isShort ? ' --short' : ''}`);
  if (evidence) say(`logs and databases: ${evidence}`);
  say(`\nhostile: ${results.length - failed.length} passed, ${failed.length} failed`);
  process.exit(failed.length > 0 ? 1 : 0);
} catch (error) {
  fail(error);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        short: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true },
        seed: { type: 'string' },
      },
    }).values;
  } catch {
    return fail(usage);
  }
}
