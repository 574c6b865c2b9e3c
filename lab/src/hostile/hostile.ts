import { fail, flag, interruptSignal, parseCommandLine, selectByName, text, texts } from '@acme/dev/cli';
import { allAttacks } from './attacks/all.ts';
import { runAttacks } from './run-attacks.ts';
import { lineOf, tableOf } from './table.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);

const { values } = parseCommandLine({
  call: 'npm run hostile',
  summary: 'Attacks services with 256 MiB of heap, and fails if another caller notices.',
  options: {
    short: flag('shorter attacks'),
    only: texts('NAME', 'an attack. Default: all'),
    seed: text('SEED', 'seed of the attacks. Default: a new one'),
  },
});
const { short: isShort, seed = String(Date.now() % 1_000_000) } = values;
const attacks = selectByName(allAttacks, values.only);
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
