import { setTimeout as sleep } from 'node:timers/promises';
import { integer, integers, parseCommandLine, text } from '@acme/dev/cli';
import { quantile } from '../harness/quantile.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { costFigures, costTable, growthTable, idleFigures, processorUs } from './cost/cost-report.ts';
import { serviceNames, startMeteredPair } from './cost/metered-pair.ts';
import { growthPerOrder, readSizes } from './cost/sizes.ts';
import { costOfOrder, isProcessorTime, measureUsage, type PairUsage, summarize } from './cost/usage.ts';
import { fillOrders } from './history/fill-orders.ts';
import { median, writeReport } from './load/figures.ts';
import { startOrderLoad } from './placing/order-load-process.ts';

/** Measures what an order costs each service and its database, with one caller and under load. Linux only. */
const { values } = parseCommandLine({
  call: 'npm run bench -- cost',
  summary: 'Measures what an order costs each service and its database, with one caller and under load.',
  options: {
    seconds: integer('N', 'seconds of one measurement', { from: 1, fallback: 4 }),
    rounds: integer('N', 'number of rounds', { from: 1, fallback: 7 }),
    callers: integers('N,N', 'numbers of callers', [1, 16, 128]),
    filled: integer('N', 'orders in the database before, with a checkpoint before each measurement', {
      from: 1000,
    }),
    json: text('FILE', 'file for the result'),
  },
});
const { seconds, rounds, filled } = values;
/** So many that two orders of one customer are rarely close in time. */
const customers = 100_000;
const say = (text: string) => process.stdout.write(`${text}\n`);

await using cleanup = new AsyncDisposableStack();
const folder = cleanup.use(await openTemporaryFolder('bench-cost-'));
const pair = cleanup.use(await startMeteredPair(folder.path));
const [ordersTarget, inventoryTarget] = [pair.services.orders.target, pair.services.inventory.target];
const load = cleanup.use(
  await startOrderLoad({ ordersTarget, inventoryTarget, token: pair.token, hot: false, customers }),
);
if (filled)
  await fillOrders(pair.services.orders.database.url, {
    orderCount: filled,
    customerId: 'regular',
    ofCustomer: 1000,
    otherCustomers: customers,
  });

for (const callers of values.callers) await load.place({ callers, seconds: Math.min(seconds, 3) });
const idle = await measureUsage(pair, () => sleep(seconds * 1000));
const sizesBefore = await readSizes(pair);
const samples = new Map(
  values.callers.map((callers) => [callers, { costs: [] as PairUsage[], rates: [] as number[] }]),
);
let placed = 0;
for (let round = 1; round <= rounds; round++)
  for (const [callers, { costs, rates }] of samples) {
    if (filled) for (const name of serviceNames) await pair.services[name].database.checkpoint();
    const used = await measureUsage(pair, () => load.place({ callers, seconds }));
    const { count: confirmed, perSecond, others } = used.result;
    const cost = costOfOrder(used, idle, confirmed);
    costs.push(cost);
    rates.push(perSecond);
    placed += confirmed;
    say(
      `round ${round}, ${callers} callers: ${perSecond.toFixed(0)} orders/s, ${others} not confirmed, ` +
        `${processorUs(cost).toFixed(0)} µs of processor time`,
    );
  }
const growth = growthPerOrder(sizesBefore, await readSizes(pair), placed);

const figures: Record<string, number> = {};
for (const [callers, { costs, rates }] of samples) {
  // Other work on the machine adds processor time, and never takes any away.
  const cost = summarize(costs, (figure, each) =>
    isProcessorTime(figure) ? (quantile(each, 0.25) ?? Number.NaN) : median(each),
  );
  say(`\n${callers} callers, ${median(rates).toFixed(0)} orders/s, per order:\n\n${costTable(cost)}`);
  figures[`orders_per_second_${callers}_callers`] = median(rates);
  Object.assign(figures, costFigures(cost, `${callers}_callers`));
}
say(`\nGrowth of the tables per order:\n\n${growthTable(growth)}\n`);
for (const name of serviceNames)
  figures[`${name}_bytes_on_disk`] = growth
    .filter(({ service }) => service === name)
    .reduce((sum, { tableBytes, indexBytes }) => sum + tableBytes + indexBytes, 0);
await writeReport(
  { ...figures, ...idleFigures(idle) },
  {
    how: 'a replica of each service, each with a PostgreSQL server, on the same cores as the caller; fsync on',
    jsonFile: values.json,
  },
);
