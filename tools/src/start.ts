import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { importCatalogue } from './catalogue.ts';
import { fail } from './fail.ts';
import { type Pair, startPair } from './pair.ts';
import { defaultDataFolder } from './paths.ts';
import { announcePair, withdrawPair } from './running-pair.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: defaultDataFolder },
    'orders-port': { type: 'string', default: '50051' },
    'inventory-port': { type: 'string', default: '50052' },
    'orders-metrics-port': { type: 'string', default: '9464' },
    'inventory-metrics-port': { type: 'string', default: '9465' },
  },
});
const dataFolder = resolve(values.data);

const say = (text: string) => process.stdout.write(`${text}\n`);

try {
  const starting = startPair({
    dataFolder,
    ordersPort: Number(values['orders-port']),
    inventoryPort: Number(values['inventory-port']),
    metricsPorts: {
      orders: Number(values['orders-metrics-port']),
      inventory: Number(values['inventory-metrics-port']),
    },
    onStep: (what) => say(`  up  ${what}`),
  });
  const pair = await untilStopped(starting);
  say(`  up  a catalogue of ${await importCatalogue(pair)} articles`);
  await announcePair(dataFolder, pair);
  say(await invitation(pair));
} catch (error) {
  fail(error);
}

/** Ctrl-C and SIGTERM drain whatever is up by then; a second one does not wait. A service that dies ends the rest. */
async function untilStopped(starting: Promise<Pair>): Promise<Pair> {
  let stopping = false;
  const stop = async (exitCode: number, why: string) => {
    if (stopping) return;
    stopping = true;
    say(why);
    await withdrawPair(dataFolder);
    await starting.then(
      (pair) => pair.close(),
      () => {},
    );
    process.exit(exitCode);
  };
  process.on('SIGINT', () => stop(0, '\nstopping: what is under way is finished first'));
  process.on('SIGTERM', () => stop(0, 'stopping: what is under way is finished first'));
  const pair = await starting;
  for (const service of pair.services)
    service.process.once('exit', (code, signal) =>
      stop(1, `${service.name} ended (${signal ?? code}): see ${dataFolder}/logs/${service.name}.log`),
    );
  return pair;
}

async function invitation(pair: Pair): Promise<string> {
  const scopes = ['orders:read', 'orders:write', 'inventory:read'];
  const token = await pair.token('alice', scopes);
  const order = JSON.stringify({
    request_id: crypto.randomUUID(),
    lines: [
      { sku: 'SAT-0001', quantity: 2 },
      { sku: 'SAT-0042', quantity: 1 },
    ],
  });
  return `
Ready. Ctrl-C stops it; the data stays in ${dataFolder}.

Place an order with the project's own client, in a second terminal:

  npm run call -- orders.v1.OrderService/PlaceOrder '${order}'
  npm run call -- orders.v1.OrderService/ListOrders '{"page_size": 5}'
  npm run call -- inventory.v1.InventoryService/GetStock '{"sku": "SAT-0001"}'

Or with grpcurl, and a token that is alice's for a day:

  export TOKEN=${token}
  grpcurl -plaintext ${pair.ordersTarget} list
  grpcurl -plaintext -H "authorization: Bearer $TOKEN" -d '${order}' ${pair.ordersTarget} orders.v1.OrderService/PlaceOrder
`;
}
