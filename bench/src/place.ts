import { parseArgs } from 'node:util';
import { median, writeReport } from './load/figures.ts';
import { startPlacing } from './placing/start-placing.ts';

/**
 * PlaceOrder end to end, through both services, beside pgbench doing one transaction an order; in turns, everything on
 * the same cores.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    callers: { type: 'string', default: '16,64,256' },
    /** All orders of one article. */
    hot: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const callerCounts = values.callers.split(',').map(Number);

await using placing = await startPlacing(values.hot);
for (const callers of callerCounts) await placing.place({ callers, seconds: Math.min(seconds, 3) });
const placed = new Map(callerCounts.map((callers) => [callers, [] as number[]]));
const yardstick = new Map(callerCounts.map((callers) => [callers, [] as number[]]));
for (let round = 1; round <= Number(values.rounds); round++)
  for (const callers of callerCounts) {
    const { perSecond, p99Ms, others } = await placing.place({ callers, seconds });
    const pgbench = await placing.pgbench(callers, seconds);
    placed.get(callers)?.push(perSecond);
    yardstick.get(callers)?.push(pgbench);
    process.stdout.write(
      `round ${round}, ${callers} callers: ${perSecond.toFixed(0)} orders/s, p99 ${p99Ms.toFixed(0)} ms, ${others} not confirmed; pgbench ${pgbench.toFixed(0)}/s\n`,
    );
  }
const best = (figures: Map<number, number[]>) => Math.max(...[...figures.values()].map(median));
const top = best(placed);
const atHalf = [];
for (let round = 1; round <= Number(values.rounds); round++)
  atHalf.push((await placing.place({ perSecond: top / 2, seconds })).p99Ms);

const byCallers = (name: string, figures: Map<number, number[]>) =>
  [...figures].map(([callers, values]) => [`${name}_${callers}_callers`, median(values)] as const);
const ratio = top / best(yardstick);
await writeReport(
  {
    place_per_second: top,
    ...(values.hot ? { hot_over_pgbench: ratio } : { place_over_pgbench: ratio }),
    p99_ms_at_half: median(atHalf),
    pgbench_per_second: best(yardstick),
    ...Object.fromEntries([...byCallers('place', placed), ...byCallers('pgbench', yardstick)]),
  },
  { how: 'services, callers, pgbench and PostgreSQL share the cores, fsync on', jsonFile: values.json },
);
