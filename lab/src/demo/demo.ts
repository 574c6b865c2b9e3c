import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail } from '@acme/dev/cli/fail';
import { untilInterrupted } from '@acme/dev/cli/until-interrupted';
import { startPair } from '../pair/pair.ts';
import { openLiveLine } from './live-line.ts';
import { planNight } from './night.ts';
import { problemsOf, reportOf } from './report.ts';
import { goThrough } from './saturday-night.ts';

const usage =
  'usage: npm run demo [-- --seconds N --rate N]: 5 to 600 seconds, 1 to 500 orders/s at the peak; 60 and 100 when absent';

const night = planNight(...readArguments());
const say = (text: string) => process.stdout.write(`${text}\n`);
const interrupted = untilInterrupted();

try {
  if (!(await isSurvived())) process.exitCode = 1;
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
    const isWithin = (value: number, least: number, most: number) =>
      Number.isInteger(value) && value >= least && value <= most;
    if (isWithin(seconds, 5, 600) && isWithin(rate, 1, 500)) return [seconds, rate];
  } catch {
    // Told below, as any other argument that makes no night.
  }
  return fail(usage);
}

/** Spends the night in a folder that is kept when something went wrong. */
async function isSurvived(): Promise<boolean> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'saturday-'));
  await using stack = new AsyncDisposableStack();
  let isRight: boolean | undefined;
  stack.defer(async () => {
    if (isRight === false) say(`databases and logs: ${dataFolder}`);
    else await rm(dataFolder, { recursive: true });
  });
  // When root runs this, the database does as somebody else, who must get through.
  await chmod(dataFolder, 0o755);
  say('starting PostgreSQL, inventory and orders, in a folder of their own');
  const pair = await startPair({ dataFolder, ordersPort: 0, inventoryPort: 0, onStep: () => {} });
  stack.defer(() => pair.close());
  interrupted.throwIfAborted();

  const { seconds, peakRate, killSecond, startSecond } = night;
  say(
    `Saturday night in ${seconds} s: up to ${peakRate} orders/s; inventory is killed (SIGKILL) after ${Math.round(killSecond)} s and started again ${(startSecond - killSecond).toFixed(1)} s later`,
  );
  const line = openLiveLine(process.stdout);
  const result = await goThrough({ pair, night, onSecond: line.show, signal: interrupted }).finally(line.end);
  say(reportOf(result, night));
  isRight = problemsOf(result).length === 0;
  return isRight;
}
