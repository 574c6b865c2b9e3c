import { randomUUID } from 'node:crypto';
import { decimal, integer, parseCommandLine, text } from '@acme/dev/cli';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import pg from 'pg';
import { quantile } from '../harness/quantile.ts';
import { setStock } from '../harness/stock.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { startPair } from '../pair/pair.ts';
import { startContenders } from './chain/start-contenders.ts';
import { writeReport } from './load/figures.ts';
import { connectHttp2Caller } from './load/http2-caller.ts';
import { closedLoop } from './load/offered-load.ts';
import { quartilesOf } from './turns/quartiles.ts';
import { alternate, type Work, warmUp } from './turns/turns.ts';

/**
 * Measures the latency of calls at rest: one caller, and nothing else runs. An order and a read are compared with their
 * parts, and a call through the full chain with a bare one. The same caller, of node:http2, makes all calls.
 */
const { values } = parseCommandLine({
  call: 'npm run bench -- idle',
  summary:
    'Measures the latency of PlaceOrder and GetOrder with one caller, and of the parts that they consist of.',
  options: {
    seconds: decimal('N', 'seconds of one measurement', { from: 0.1, fallback: 1 }),
    turns: integer('N', 'number of turns', { from: 1, fallback: 15 }),
    json: text('FILE', 'file for the result'),
  },
});

await using cleanup = new AsyncDisposableStack();
const folder = cleanup.use(await openTemporaryFolder('bench-idle-'));
const { contenders: servers, token } = cleanup.use(
  await startContenders(['http2', 'grpcjs', 'full', 'nice_full']),
);
await warmUp(servers);
const pair = cleanup.adopt(
  await startPair({ dataFolder: folder.path, ordersPort: 0, inventoryPort: 0, onStep: () => {} }),
  (pair) => pair.close(),
);
await setStock(pair, { BENCH: 2_000_000_000 });
const orders = cleanup.use(
  connectHttp2Caller(pair.ordersTarget, await pair.token('idle', ['orders:read', 'orders:write'])),
);
const database = cleanup.adopt(new pg.Client({ connectionString: pair.databaseUrl('orders') }), (each) =>
  each.end(),
);
await database.connect();
await database.query('CREATE SCHEMA bench');
await database.query(
  'CREATE TABLE bench.inserted (id uuid PRIMARY KEY DEFAULT uuidv7(), customer text NOT NULL)',
);

const ids: string[] = [];
const calls: Record<string, () => Promise<unknown>> = {
  place: async () => {
    const request = { requestId: randomUUID(), lines: [{ sku: 'BENCH', quantity: 1 }] };
    const { response } = await orders.call(OrderService.method.placeOrder, request);
    if (response?.order?.state !== Order_State.CONFIRMED) throw new Error('the order is not confirmed');
    ids.push(response.order.id);
  },
  get: async () => {
    const id = ids[Math.floor(Math.random() * ids.length)] ?? '';
    const { response } = await orders.call(OrderService.method.getOrder, { id });
    if (response?.order?.id !== id) throw new Error(`GetOrder did not return ${id}`);
  },
  insert: () =>
    database.query({
      name: 'insert',
      text: 'INSERT INTO bench.inserted (customer) VALUES ($1)',
      values: ['idle'],
    }),
  select: () => database.query({ name: 'select', text: 'SELECT 1' }),
};
for (const { name, target } of servers) {
  const caller = cleanup.use(connectHttp2Caller(target, token));
  calls[name] = async () => {
    const { response } = await caller.call(InventoryService.method.getStock, { sku: 'SAT-0001' });
    if (!response?.stock) throw new Error(`${name} did not return the stock`);
  };
}

interface Latency extends Work {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function measure(call: () => Promise<unknown>, seconds: number): Promise<Latency> {
  const { okMs, ...done } = await closedLoop(call, 1, seconds);
  const at = (share: number) => quantile(okMs, share) ?? Number.NaN;
  return { count: okMs.length, perSecond: okMs.length / done.seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

for (const call of Object.values(calls)) await closedLoop(call, 1, 3);
const measured = await alternate(
  Object.entries(calls).map(([name, call]) => ({
    name,
    work: (seconds: number) => measure(call, seconds),
    processes: {},
  })),
  { ...values, show: ({ p50Ms, p99Ms }) => `${p50Ms.toFixed(2)} (p99 ${p99Ms.toFixed(2)}) ms` },
);
const msOf = (name: string, figure: 'p50Ms' | 'p99Ms') =>
  quartilesOf((measured.get(name) ?? []).map((turn) => turn[figure])).lower;
const p50Ms = (name: string) => msOf(name, 'p50Ms');
await writeReport(
  {
    place_idle_over_parts: p50Ms('place') / (3 * p50Ms('insert') + 2 * p50Ms('grpcjs')),
    get_idle_over_parts: p50Ms('get') / (p50Ms('select') + p50Ms('grpcjs')),
    full_one_caller_over_grpcjs: p50Ms('full') / p50Ms('grpcjs'),
    ...Object.fromEntries(
      Object.keys(calls).flatMap((name) => [
        [`${name}_idle_p50_ms`, p50Ms(name)],
        [`${name}_idle_p99_ms`, msOf(name, 'p99Ms')],
      ]),
    ),
  },
  { how: 'one caller of node:http2, one call at a time, fsync on', jsonFile: values.json },
);
