import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { fail, interruptSignal } from '@acme/dev/cli';
import { makeTemporaryFolder } from '../harness/temporary-folder.ts';
import { startPair } from '../pair/pair.ts';
import { openLiveLine } from './live-line.ts';
import { planNight } from './night.ts';
import { problemsOf, reportOf } from './report.ts';
import { runNight } from './saturday-night.ts';

const usage =
  'usage: npm run demo [-- --seconds N --rate N]: 5 to 600 seconds, 1 to 500 orders/s at the peak; 60 and 100 when absent';

const night = planNight(...readArguments());
const say = (text: string) => process.stdout.write(`${text}\n`);
const interrupted = interruptSignal();

try {
  if (!(await runDemo())) process.exitCode = 1;
  process.exit();
} catch (error) {
  if (interrupted.aborted) process.exit(130);
  fail(error);
}

function readArguments(): [seconds: number, rate: number] {
  try {
    const { values } = parseArgs({
      options: { seconds: { type: 'string', default: '60' }, rate: { type: 'string', default: '100' } },
    });
    const [seconds, rate] = [Number(values.seconds), Number(values.rate)];
    const isWithin = (value: number, min: number, max: number) =>
      Number.isInteger(value) && value >= min && value <= max;
    if (isWithin(seconds, 5, 600) && isWithin(rate, 1, 500)) return [seconds, rate];
  } catch {
    // Reported below, like every invalid argument.
  }
  return fail(usage);
}

/** Runs the night in a new folder, which is kept after a failure. Returns whether all invariants held. */
async function runDemo(): Promise<boolean> {
  const dataFolder = await makeTemporaryFolder('saturday-');
  await using stack = new AsyncDisposableStack();
  let isCorrect: boolean | undefined;
  stack.defer(async () => {
    if (isCorrect === false) say(`databases and logs: ${dataFolder}`);
    else await rm(dataFolder, { recursive: true });
  });
  say('starting PostgreSQL, inventory and orders in a new folder');
  const pair = await startPair({ dataFolder, ordersPort: 0, inventoryPort: 0, onStep: () => {} });
  stack.defer(() => pair.close());
  interrupted.throwIfAborted();

  const { seconds, peakRate, killSecond, startSecond } = night;
  say(
    `Saturday night in ${seconds} s: up to ${peakRate} orders/s; inventory is killed (SIGKILL) after ${Math.round(killSecond)} s and started again ${(startSecond - killSecond).toFixed(1)} s later`,
  );
  const line = openLiveLine(process.stdout);
  const result = await runNight({ pair, night, onSecond: line.show, signal: interrupted }).finally(line.end);
  say(reportOf(result, night));
  isCorrect = problemsOf(result).length === 0;
  return isCorrect;
}
