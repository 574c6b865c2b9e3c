import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { integer, parseCommandLine, text } from '@acme/dev/cli';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client';
import { quantile } from '../harness/quantile.ts';
import { setStock } from '../harness/stock.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { startPair } from '../pair/pair.ts';
import { fillHistory, rowsPerOrder } from './history/fill-history.ts';
import { median, writeReport } from './load/figures.ts';

/** Compares the p99 of calls on two pairs, one with a hundred times as many orders. */
const { values } = parseCommandLine({
  call: 'npm run bench -- growth',
  summary: 'Compares the p99 of calls on two pairs, one with a hundred times as many orders.',
  options: {
    few: integer('N', 'orders of the one', { from: 10_100, fallback: 10_100 }),
    many: integer('N', 'orders of the other', { from: 10_100, fallback: 1_000_000 }),
    calls: integer('N', 'calls of a round', { from: 1, fallback: 300 }),
    rounds: integer('N', 'number of rounds', { from: 1, fallback: 15 }),
    json: text('FILE', 'file for the result'),
  },
});
const pageSize = 10;
const farPage = 1000;
const callersAtOnce = 4;

await using cleanup = new AsyncDisposableStack();
const folder = cleanup.use(await openTemporaryFolder('bench-growth-'));

type Calls = Record<string, () => Promise<unknown>>;

/** Starts a pair with this many orders, and their events and reservations. Those of one customer fill a thousand pages. */
async function startShop(orderCount: number): Promise<Calls> {
  const pair = cleanup.adopt(
    await startPair({
      dataFolder: join(folder.path, String(orderCount)),
      ordersPort: 0,
      inventoryPort: 0,
      onStep: () => {},
    }),
    (pair) => pair.close(),
  );
  await setStock(pair, { BENCH: 2_000_000_000 });
  const urls = { orders: pair.databaseUrl('orders'), inventory: pair.databaseUrl('inventory') };
  const ids = await fillHistory(urls, {
    orderCount,
    customerId: 'regular',
    ofCustomer: pageSize * farPage + 100,
    ageDays: 0,
    reservationState: 'RESERVED',
  });
  const token = await pair.token('regular', ['orders:read', 'orders:write', 'orders:write:any']);
  const orders = cleanup.use(createClient(OrderService, { target: pair.ordersTarget, token: () => token }));
  let pageToken = '';
  for (let page = 1; page < farPage; page++)
    ({ nextPageToken: pageToken } = await orders.listOrders({ pageSize, pageToken }));
  let next = 0;
  return {
    get_order: () => orders.getOrder({ id: ids[next++ % ids.length] ?? '' }),
    first_page: () => orders.listOrders({ pageSize }),
    page_1000: () => orders.listOrders({ pageSize, pageToken }),
    place_order: () => orders.placeOrder({ requestId: randomUUID(), lines: [{ sku: 'BENCH', quantity: 1 }] }),
  };
}

async function p99Ms(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  const work = async () => {
    while (times.length < values.calls) {
      const startMs = performance.now();
      await call();
      times.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: callersAtOnce }, work));
  return quantile(times, 0.99) ?? Number.NaN;
}

const shops = { few: await startShop(values.few), many: await startShop(values.many) };
const names = Object.keys(shops.few);
const times = new Map<string, number[]>();
for (let round = 0; round <= values.rounds; round++)
  // The order alternates, because the first call affects the second.
  for (const name of names)
    for (const size of round % 2 === 0 ? (['few', 'many'] as const) : (['many', 'few'] as const)) {
      const call = shops[size][name];
      if (!call) throw new Error(`there is no call ${name}`);
      const taken = await p99Ms(call);
      // The first round warms up.
      if (round > 0) times.set(`${name}_${size}`, [...(times.get(`${name}_${size}`) ?? []), taken]);
    }
const medianOf = (key: string) => median(times.get(key) ?? []);
const growths = names.map((name) => [name, medianOf(`${name}_many`) / medianOf(`${name}_few`)] as const);
await writeReport(
  {
    p99_growth: Math.max(...growths.map(([, growth]) => growth)),
    ...Object.fromEntries(growths.map(([name, growth]) => [`${name}_growth`, growth])),
    ...Object.fromEntries([...times].map(([name, ms]) => [`${name}_p99_ms`, median(ms)])),
  },
  {
    how: `p99 at ${values.many} orders (${rowsPerOrder * values.many} rows) over p99 at ${values.few}`,
    jsonFile: values.json,
  },
);
