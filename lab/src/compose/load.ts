import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { decimal, fail, parseCommandLine } from '@acme/dev/cli';
import { Order_State, Order_StateSchema } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { catalogueSize, skuOf } from '@acme/inventory/development/catalogue';
import { createClient } from '@acme/rpc/client';
import { codeName, RpcError } from '@acme/rpc/errors';
import { enumToJson } from '@bufbuild/protobuf';
import { findRunningPair } from '../pair/pair.ts';

/** Maximum number of callers at the same time. Further calls are not sent, but counted. */
const maxCallers = 200;

/** Maximum number of open orders. The oldest is cancelled for each further one, so that stock does not run out. */
const maxOpenOrders = 1000;

const reportEveryMs = 10_000;

const {
  values: { rate },
  positionals: [dataFolder],
} = parseCommandLine({
  call: 'node load.ts',
  summary: 'Places, reads and cancels orders until it is stopped, and prints a line every 10 s.',
  positionals: ['DATA_FOLDER'],
  options: { rate: decimal('N', 'orders per second', { from: 0.1, to: 1000, fallback: 50 }) },
});

const pair = (await findRunningPair(dataFolder)) ?? fail(`${dataFolder} describes no running services`);
const token = await pair.token('load', ['orders:read', 'orders:write']);
const { ordersTarget: target, credentials } = pair;
const client = createClient(OrderService, { target, credentials, token: () => token });

const openOrders: string[] = [];
let counts: Record<string, number> = {};
let durationsMs: number[] = [];
let callers = 0;

process.on('SIGTERM', () => process.exit());
process.on('SIGINT', () => process.exit());
setInterval(report, reportEveryMs);
// An open load: callers arrive at the rate, however long the calls before them take.
for (const startMs = performance.now(), arrival = { number: 0 }; ; arrival.number += 1) {
  await sleep(Math.max(0, startMs + (arrival.number * 1000) / rate - performance.now()));
  if (callers >= maxCallers) count('not sent');
  else simulateCaller();
}

/** One caller: places an order, reads it, and cancels an old one. */
async function simulateCaller(): Promise<void> {
  callers += 1;
  try {
    const { order } = await timed(() => client.placeOrder({ requestId: randomUUID(), lines: randomLines() }));
    count(String(enumToJson(Order_StateSchema, order?.state ?? Order_State.UNSPECIFIED)));
    const id = order?.id ?? '';
    openOrders.push(id);
    await client.getOrder({ id });
    const oldest = openOrders.length > maxOpenOrders ? openOrders.shift() : undefined;
    if (oldest) await client.cancelOrder({ id: oldest });
  } catch (error) {
    count(error instanceof RpcError ? codeName(error.code) : String(error));
  } finally {
    callers -= 1;
  }
}

async function timed<T>(call: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  return call().finally(() => durationsMs.push(performance.now() - startMs));
}

function randomLines() {
  const skus = new Set(Array.from({ length: randomInt(1, 5) }, () => skuOf(randomInt(catalogueSize) + 1)));
  return [...skus].map((sku) => ({ sku, quantity: randomInt(1, 4) }));
}

function count(outcome: string): void {
  counts[outcome] = (counts[outcome] ?? 0) + 1;
}

function report(): void {
  const outcomes = Object.entries(counts).map(([outcome, number]) => `${number} ${outcome}`);
  const sorted = durationsMs.sort((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((part) => Math.round(sorted[Math.floor(sorted.length * part)] ?? 0));
  process.stdout.write(
    `${reportEveryMs / 1000} s: ${outcomes.join(', ')}; PlaceOrder p50 ${p50} ms, p99 ${p99} ms\n`,
  );
  counts = {};
  durationsMs = [];
}
