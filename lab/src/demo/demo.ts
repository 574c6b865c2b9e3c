import { rm } from 'node:fs/promises';
import { fail, integer, interruptSignal, parseCommandLine } from '@acme/dev/cli';
import { makeTemporaryFolder } from '../harness/temporary-folder.ts';
import { startPair } from '../pair/pair.ts';
import { openLiveLine } from './live-line.ts';
import { planNight } from './night.ts';
import { problemsOf, reportOf } from './report.ts';
import { runNight } from './saturday-night.ts';

const { values } = parseCommandLine({
  call: 'npm run demo',
  summary: `Plays a Saturday night on services of its own: inventory is killed and started again under load. Exits with 1 if an
acknowledged order is lost, an item is oversold, or an order stays unsettled.`,
  options: {
    seconds: integer('N', 'length of the night', { from: 5, to: 600, fallback: 60 }),
    rate: integer('N', 'orders per second at the peak', { from: 1, to: 500, fallback: 100 }),
  },
});
const night = planNight(values.seconds, values.rate);
const say = (text: string) => process.stdout.write(`${text}\n`);
const interrupted = interruptSignal();

try {
  if (!(await runDemo())) process.exitCode = 1;
  process.exit();
} catch (error) {
  if (interrupted.aborted) process.exit(130);
  fail(error);
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
