import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { choice, fail, integer, parseCommandLine, text } from '@acme/dev/cli';
import { dataOption } from '@acme/dev/repository';
import { quantile } from '../harness/quantile.ts';
import { importStock, readStock } from '../harness/stock.ts';
import { findRunningPair, type PairAccess, startPair } from '../pair/pair.ts';
import { checkTotals } from './check-totals.ts';
import { placeAll } from './place-all.ts';
import { createProgress } from './progress.ts';
import { type RetailFile, readRetailFile, unitsBySku, uuidOf } from './retail-file.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);

const {
  values,
  positionals: [path],
} = parseCommandLine({
  call: 'npm run replay',
  summary: `Places the orders of an NDJSON(.gz) file, {invoice, customer, lines: [{sku, quantity}]} per line, and checks the
databases. Uses the services that npm start runs, or starts some.`,
  positionals: ['FILE'],
  options: {
    stock: choice(['ample', 'scarce'], 'stock for every order, or for half of the orders', 'ample'),
    concurrency: integer('N', 'number of concurrent calls', { from: 1, fallback: 64 }),
    json: text('FILE', 'file for the result'),
    data: dataOption,
  },
});
const { stock, concurrency } = values;

try {
  const file = await readRetailFile(path);
  const running = await findRunningPair(resolve(values.data));
  if (running) {
    say('replaying against the running pair');
    await replay(running, file, { stock, concurrency, jsonFile: values.json });
  } else {
    // The database of each kind of stock is kept: a second replay finds its orders placed.
    const dataFolder = join(resolve(values.data), `replay-${stock}`);
    say(`no pair is running: replaying against a new one in ${dataFolder}`);
    const pair = await startPair({ dataFolder, ordersPort: 0, inventoryPort: 0, onStep: () => {} });
    process.on('SIGINT', () => pair.close().finally(() => process.exit(130)));
    await replay(pair, file, { stock, concurrency, jsonFile: values.json }).finally(pair.close);
  }
  process.exit();
} catch (error) {
  fail(error);
}

interface ReplayOptions {
  readonly stock: 'ample' | 'scarce';
  readonly concurrency: number;
  readonly jsonFile: string | undefined;
}

/** Imports stock for the file, places its orders and checks the stock. Sets the exit code to 1 if the check fails. */
async function replay(
  pair: PairAccess,
  file: RetailFile,
  { stock, concurrency, jsonFile }: ReplayOptions,
): Promise<void> {
  const { orders, sha256 } = file;
  const needed = unitsBySku(orders);
  const stockUnits = new Map(
    [...needed].map(([sku, units]) => [sku, stock === 'ample' ? units : Math.floor(units / 2)]),
  );
  const name = `${sha256} ${stock}`;
  await importStock(pair, uuidOf(name, 'import'), stockUnits);

  const progress = createProgress(orders.length);
  const startMs = performance.now();
  const placed = await placeAll({ pair, orders, name, concurrency, onPlaced: progress });
  const seconds = (performance.now() - startMs) / 1000;
  const confirmed = placed.filter(({ outcome }) => outcome === 'confirmed');
  const durationsMs = placed.map(({ durationMs }) => durationMs);
  const report = {
    orders: orders.length,
    confirmed: confirmed.length,
    rejected: placed.length - confirmed.length,
    units: [...unitsBySku(confirmed.map(({ order }) => order)).values()].reduce(
      (sum, units) => sum + units,
      0,
    ),
    skus: needed.size,
    orders_per_second: round(orders.length / seconds),
    p99_ms: round(quantile(durationsMs, 0.99) ?? 0),
  };
  const problems = checkTotals(orders, placed, await readStock(pair));
  say(`${report.confirmed} of ${report.orders} orders confirmed, ${report.rejected} out of stock`);
  say(
    `${report.units} units of ${report.skus} SKUs; ${report.orders_per_second} orders/s, p99 ${report.p99_ms} ms`,
  );
  if (jsonFile) await writeFile(jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
  if (problems.length === 0) {
    say('the databases agree');
    return;
  }
  say(`the databases disagree in ${problems.length} places:\n  ${problems.slice(0, 20).join('\n  ')}`);
  process.exitCode = 1;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
