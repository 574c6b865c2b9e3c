import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fail } from '@acme/dev/cli/fail';
import { Order_State, Order_StateSchema } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { catalogueSize, skuOf } from '@acme/inventory/development/catalogue';
import { createClient } from '@acme/rpc/client/create-client';
import { codeName, RpcError } from '@acme/rpc/errors/rpc-error';
import { enumToJson } from '@bufbuild/protobuf';
import { findRunningPair } from '../pair/pair.ts';

const usage = 'usage: node load.ts DATA_FOLDER [--rate ORDERS_PER_SECOND]';

/** Callers that wait at the same time. What comes beyond them is not sent, and counted. */
const maxVisits = 200;

/** Orders that stand: the oldest is cancelled for each one more, so that the shelves never run empty. */
const standingOrders = 1000;

const reportEveryMs = 10_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rate: { type: 'string', default: '50' } },
});
const dataFolder = positionals[0] ?? fail(usage);
const rate = Number(values.rate);
if (!(rate > 0 && rate <= 1000)) fail(usage);

const pair =
  (await findRunningPair(dataFolder)) ?? fail(`no pair answers that is announced in ${dataFolder}`);
const token = await pair.token('load', ['orders:read', 'orders:write']);
const { ordersTarget: target, credentials } = pair;
const client = createClient(OrderService, { target, credentials, token: () => token });

const standing: string[] = [];
let counts: Record<string, number> = {};
let durationsMs: number[] = [];
let visits = 0;

process.on('SIGTERM', () => process.exit());
process.on('SIGINT', () => process.exit());
setInterval(report, reportEveryMs);
// Callers come when they come, however long the ones before them take.
for (const startMs = performance.now(), arrival = { number: 0 }; ; arrival.number += 1) {
  await sleep(Math.max(0, startMs + (arrival.number * 1000) / rate - performance.now()));
  if (visits >= maxVisits) count('not sent');
  else visit();
}

/** A caller: places an order, reads it, and lets go of an old one. */
async function visit(): Promise<void> {
  visits += 1;
  try {
    const { order } = await timed(() => client.placeOrder({ requestId: randomUUID(), lines: randomLines() }));
    count(String(enumToJson(Order_StateSchema, order?.state ?? Order_State.UNSPECIFIED)));
    const id = order?.id ?? '';
    standing.push(id);
    await client.getOrder({ id });
    const oldest = standing.length > standingOrders ? standing.shift() : undefined;
    if (oldest) await client.cancelOrder({ id: oldest });
  } catch (error) {
    count(error instanceof RpcError ? codeName(error.code) : String(error));
  } finally {
    visits -= 1;
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
