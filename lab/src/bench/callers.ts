import { decimal, integer, integers, list, parseCommandLine, text } from '@acme/dev/cli';
import { startContenders } from './chain/start-contenders.ts';
import { collectCallersFigures } from './load/callers-figures.ts';
import { writeReport } from './load/figures.ts';
import { placement } from './load/pinned-process.ts';
import { loadGenerator } from './load/unary-load.ts';
import { warmUp } from './turns/turns.ts';

/** Measures throughput and p99 of the contenders of `chain` at several numbers of callers. */
const { values } = parseCommandLine({
  call: 'npm run bench -- callers',
  summary: 'Measures throughput and p99 of the contenders of chain at several numbers of callers.',
  options: {
    seconds: decimal('N', 'seconds of one measurement', { from: 0.1, fallback: 3 }),
    rounds: integer('N', 'number of rounds', { from: 1, fallback: 5 }),
    callers: integers('N,N', 'numbers of callers', [1, 4, 16, 64, 256]),
    only: list('NAME,NAME', 'the contenders', 'full,grpcjs,nice,connect,nest'),
    json: text('FILE', 'file for the result'),
    svg: text('FILE', 'file for a chart'),
  },
});
const { seconds } = values;

await using running = await startContenders(values.only);
const figures = collectCallersFigures();
await warmUp(running.contenders);
for (let round = 1; round <= values.rounds; round++)
  for (const callers of values.callers) {
    const texts = [];
    for (const { name, load } of running.contenders) {
      const outcome = await load.timed(callers, seconds);
      figures.add(name, callers, outcome);
      texts.push(`${name} ${outcome.perSecond.toFixed(0)}/s p99 ${outcome.p99Ms.toFixed(1)} ms`);
    }
    process.stdout.write(`round ${round}, ${callers} callers: ${texts.join('  ')}\n`);
  }
const byCallers = (name: string, figure: 'perSecond' | 'p99Ms', word: string) =>
  [...figures.medians(name, figure)].map(([callers, value]) => [`${name}_${word}_${callers}_callers`, value]);
const how = `load by ${loadGenerator}, ${placement}`;
await writeReport(
  Object.fromEntries(
    running.contenders.flatMap(({ name }) => [
      ...byCallers(name, 'perSecond', 'per_second'),
      ...byCallers(name, 'p99Ms', 'p99_ms'),
    ]),
  ),
  { how, jsonFile: values.json },
);
if (values.svg)
  await figures.writeSvg(values.svg, { title: 'One small authenticated call', unit: 'Calls', how });
