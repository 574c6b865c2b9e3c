import { decimal, integer, list, parseCommandLine, text } from '@acme/dev/cli';
import { startContenders } from './chain/start-contenders.ts';
import { median, writeReport } from './load/figures.ts';
import { placement } from './load/pinned-process.ts';
import { loadGenerator } from './load/unary-load.ts';

/**
 * Measures the cost of the chain: one small authenticated unary method, served by each contender. Contenders alternate,
 * so that other load affects them equally.
 */
const { values } = parseCommandLine({
  call: 'npm run bench -- chain',
  summary: 'Measures the cost of the chain: one small authenticated unary method, served by each contender.',
  options: {
    seconds: decimal('N', 'seconds of a contender in a round', { from: 0.1, fallback: 3 }),
    rounds: integer('N', 'number of rounds', { from: 1, fallback: 5 }),
    only: list('NAME,NAME', 'the contenders. Default: all', ''),
    json: text('FILE', 'file for the result'),
  },
});
const { seconds } = values;

await using running = await startContenders(values.only);
const contenders = running.contenders.map((contender) => ({ ...contender, perSecond: [] as number[] }));
// Warms up until V8 has compiled the hot functions, which takes about 40,000 calls.
for (const { load } of contenders) await load.run(10);
for (let round = 1; round <= values.rounds; round++) {
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
