import { parseArgs } from 'node:util';
import { startContenders } from './chain/start-contenders.ts';
import { median, writeReport } from './load/figures.ts';
import { placement } from './load/pinned-process.ts';
import { loadGenerator } from './load/unary-load.ts';

/**
 * Measures the cost of the chain: one small authenticated unary method, served by each contender. Contenders alternate,
 * so that other load affects them equally.
 */
const { values } = parseArgs({
  options: {
    /** Duration of a contender's turn in a round, and number of rounds. */
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const seconds = Number(values.seconds);

await using running = await startContenders(values.only?.split(','));
const contenders = running.contenders.map((contender) => ({ ...contender, perSecond: [] as number[] }));
// Warms up until V8 has compiled the hot functions, which takes about 40,000 calls.
for (const { load } of contenders) await load.run(10);
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const { load, perSecond } of contenders) perSecond.push(await load.run(seconds));
  const figures = contenders.map(({ name, perSecond }) => `${name} ${perSecond.at(-1)?.toFixed(0)}`);
  process.stdout.write(`round ${round}: ${figures.join('  ')} calls/s\n`);
}

const medians = Object.fromEntries(contenders.map(({ name, perSecond }) => [name, median(perSecond)]));
const over = (one: string, other: string) => (medians[one] ?? Number.NaN) / (medians[other] ?? Number.NaN);
await writeReport(
  {
    full_over_grpcjs: over('full', 'grpcjs'),
    full_over_nice: over('full', 'nice'),
    full_over_nice_full: over('full', 'nice_full'),
    full_over_connect: over('full', 'connect'),
    full_over_nest: over('full', 'nest'),
    grpcjs_over_http2: over('grpcjs', 'http2'),
    ...Object.fromEntries(Object.entries(medians).map(([name, value]) => [`${name}_per_second`, value])),
  },
  { how: `load by ${loadGenerator}, ${placement}`, jsonFile: values.json },
);
