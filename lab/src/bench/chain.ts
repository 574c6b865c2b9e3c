import { decimal, integer, list, parseCommandLine, text } from '@acme/dev/cli';
import { type ContenderName, startContenders } from './chain/start-contenders.ts';
import { writeReport } from './load/figures.ts';
import { placement } from './load/pinned-process.ts';
import { loadGenerator } from './load/unary-load.ts';
import { cpuOver, rateOver, turnFigures } from './turns/turn-figures.ts';
import { alternate, warmUp } from './turns/turns.ts';

/**
 * Measures the cost of the chain: one small authenticated unary method, served by each contender in turn. The cost is the
 * processor time of the server, because the calls per second also depend on what else the machine does.
 */
const { values } = parseCommandLine({
  call: 'npm run bench -- chain',
  summary:
    "Measures the cost of the chain, in the server's processor time: one small authenticated unary method, served by each contender.",
  options: {
    seconds: decimal('N', 'seconds of a contender in a turn', { from: 0.1, fallback: 1 }),
    turns: integer('N', 'number of turns', { from: 1, fallback: 30 }),
    only: list('NAME,NAME', 'the contenders. Default: all', ''),
    json: text('FILE', 'file for the result'),
  },
});

await using running = await startContenders(values.only);
await warmUp(running.contenders);
const measured = await alternate(running.contenders, values);

const cpu = (one: ContenderName, other: ContenderName) => cpuOver(measured, one, other);
const rate = (one: ContenderName, other: ContenderName) => rateOver(measured, one, other);
await writeReport(
  {
    full_cpu_over_grpcjs: cpu('full', 'grpcjs'),
    full_cpu_over_nice: cpu('full', 'nice'),
    full_cpu_over_nice_full: cpu('full', 'nice_full'),
    full_cpu_over_connect: cpu('full', 'connect'),
    full_cpu_over_nest: cpu('full', 'nest'),
    full_cpu_over_go_full: cpu('full', 'go_full'),
    grpcjs_cpu_over_http2: cpu('grpcjs', 'http2'),
    full_over_grpcjs: rate('full', 'grpcjs'),
    full_over_nice: rate('full', 'nice'),
    full_over_nice_full: rate('full', 'nice_full'),
    full_over_connect: rate('full', 'connect'),
    full_over_nest: rate('full', 'nest'),
    grpcjs_over_http2: rate('grpcjs', 'http2'),
    ...turnFigures(measured),
  },
  { how: `load by ${loadGenerator}, ${placement}`, jsonFile: values.json },
);
