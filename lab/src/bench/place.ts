import { flag, integer, integers, parseCommandLine, text } from '@acme/dev/cli';
import { type CallersOutcome, collectCallersFigures } from './load/callers-figures.ts';
import { median, writeReport } from './load/figures.ts';
import type { OrderOutcome } from './placing/order-load.ts';
import { startPlacing } from './placing/start-placing.ts';
import { processFigures } from './turns/turn-figures.ts';
import { alternate } from './turns/turns.ts';

/** Measures PlaceOrder through both services, alternating with pgbench, which runs one transaction per order. */
const { values } = parseCommandLine({
  call: 'npm run bench -- place',
  summary:
    'Measures PlaceOrder through both services, alternating with pgbench, which runs one transaction per order.',
  options: {
    seconds: integer('N', 'seconds of one measurement', { from: 1, fallback: 5 }),
    rounds: integer('N', 'number of rounds', { from: 1, fallback: 5 }),
    turns: integer('N', 'turns of a second in which the processor time of an order is measured', {
      from: 1,
      fallback: 20,
    }),
    callers: integers('N,N', 'numbers of callers', [16, 64, 128, 256]),
    hot: flag('places all orders for one SKU'),
    json: text('FILE', 'file for the result'),
    svg: text('FILE', 'file for a chart'),
  },
});
const { seconds } = values;
const callerCounts = values.callers;
/** Each caller of pgbench needs a connection, and PostgreSQL has 200. */
const pgbenchCallerCounts = callerCounts.filter((callers) => callers <= 180);

await using placing = await startPlacing(values.hot);
for (const callers of callerCounts) await placing.place({ callers, seconds: Math.min(seconds, 3) });
const figures = collectCallersFigures();
for (let round = 1; round <= values.rounds; round++)
  for (const callers of callerCounts) {
    const outcome = await placing.place({ callers, seconds });
    figures.add('PlaceOrder', callers, outcome);
    const texts = [`${shown(outcome)}, ${outcome.others} not confirmed`];
    if (pgbenchCallerCounts.includes(callers)) {
      const pgbench = await placing.pgbench({ callers, seconds });
      figures.add('pgbench', callers, pgbench);
      texts.push(`pgbench ${shown(pgbench)}`);
    }
    process.stdout.write(`round ${round}, ${callers} callers: ${texts.join('; ')}\n`);
  }
const best = (name: string) => Math.max(...figures.medians(name, 'perSecond').values());
const top = best('PlaceOrder');
const atQuarter: OrderOutcome[] = [];
const atHalf = { place: [] as number[], pgbench: [] as number[] };
for (let round = 1; round <= values.rounds; round++) {
  atQuarter.push(await placing.place({ perSecond: top / 4, seconds }));
  atHalf.place.push((await placing.place({ perSecond: top / 2, seconds })).p99Ms);
  const load = { callers: Math.max(...pgbenchCallerCounts), perSecond: best('pgbench') / 2, seconds };
  atHalf.pgbench.push((await placing.pgbench(load)).p99Ms);
}

const costs = await alternate(
  callerCounts.map((callers) => ({
    name: `place_${callers}_callers`,
    work: (seconds: number) => placing.place({ callers, seconds }),
    processes: placing.processes,
  })),
  { turns: values.turns, seconds: 1 },
);
/** The more callers, the more orders share a batch, and the cheaper is an order. */
const [cheapest = {}] = [...costs.values()]
  .map((turns) => processFigures('place', turns))
  .toSorted((one, other) => (one.place_cpu_us ?? 0) - (other.place_cpu_us ?? 0));

const [quarterP50Ms, quarterP99Ms] = [
  median(atQuarter.map(({ p50Ms }) => p50Ms)),
  median(atQuarter.map(({ p99Ms }) => p99Ms)),
];
const byCallers = (name: string, word: string) =>
  [...figures.medians(name, 'perSecond')].map(([callers, value]) => [`${word}_${callers}_callers`, value]);
const ratio = top / best('pgbench');
const how = 'services, callers, pgbench and PostgreSQL share the cores, fsync on';
await writeReport(
  {
    place_per_second: top,
    ...(values.hot ? { hot_over_pgbench: ratio } : { place_over_pgbench: ratio }),
    ...cheapest,
    place_quarter_p99_over_p50: quarterP99Ms / quarterP50Ms,
    p50_ms_at_quarter: quarterP50Ms,
    p99_ms_at_quarter: quarterP99Ms,
    p99_ms_at_half: median(atHalf.place),
    pgbench_p99_ms_at_half: median(atHalf.pgbench),
    pgbench_per_second: best('pgbench'),
    ...Object.fromEntries([...byCallers('PlaceOrder', 'place'), ...byCallers('pgbench', 'pgbench')]),
  },
  { how, jsonFile: values.json },
);
const title = values.hot ? 'Orders of one SKU' : 'Orders of two SKUs by popularity';
if (values.svg) await figures.writeSvg(values.svg, { title, unit: 'Orders', how });

function shown({ perSecond, p99Ms }: CallersOutcome): string {
  return `${perSecond.toFixed(0)} orders/s, p99 ${p99Ms.toFixed(0)} ms`;
}
