import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { on, once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { integer, parseCommandLine, text } from '@acme/dev/cli';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { startEmbedded } from '@acme/postgres/embedded';
import { createClient } from '@acme/rpc/client';
import { createSigningKeys } from '@acme/rpc/testing';
import { quantile } from '../harness/quantile.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';

/** Measures the memory of an open watch, and the time until one change reaches 10,000 watches. */
const { values } = parseCommandLine({
  call: 'npm run bench -- watches',
  summary: 'Measures the memory of an open watch, and the time until one change reaches 10,000 watches.',
  options: {
    watches: integer('N', 'number of watches', { from: 1, fallback: 10_000 }),
    changes: integer('N', 'number of changes', { from: 1, fallback: 7 }),
    json: text('FILE', 'file for the result'),
  },
});
const { watches } = values;
const clientProcesses = 2;
/** A connection carries at most 1,000 streams. */
const connections = 10;

await using started = new AsyncDisposableStack();
const folder = started.use(await openTemporaryFolder('bench-watches-'));
const database = started.use(await startEmbedded({ dataFolder: join(folder.path, 'postgres') }));
await database.ensureDatabase('orders');
const keys = started.use(await createSigningKeys());
const token = await keys.sign({
  sub: 'bench',
  scope: 'orders:read orders:read:any orders:write orders:write:any',
  exp: 2 ** 31,
});
const tokenFile = join(folder.path, 'token');
await writeFile(tokenFile, token);

const server = start('orders-server', [database.url('orders'), keys.jwks, tokenFile], ['--expose-gc']);
const [{ port }] = await once(server, 'message');
const target = `127.0.0.1:${port}`;
const client = started.use(createClient(OrderService, { target, token: () => token }));
const placeOrder = () =>
  client.placeOrder({ requestId: randomUUID(), lines: [{ sku: 'A', quantity: 1 }] }, { deadlineMs: 10_000 });

// Memory of the first calls must not count for the watches.
for (let call = 0; call < 200; call++) await client.listOrders({}, { deadlineMs: 10_000 });
for await (const _ of client.watchOrders({})) break;
const before = await memoryOf(server);

const perWatch = (of: keyof NodeJS.MemoryUsage, now: NodeJS.MemoryUsage) =>
  Math.round((now[of] - before[of]) / watches);

const openingMs = performance.now();
const parts = Array.from({ length: clientProcesses }, () =>
  start('watch-clients', [
    target,
    token,
    String(watches / clientProcesses),
    String(connections / clientProcesses),
  ]),
);
await Promise.all(parts.map((part) => nextMessage(part, 'established')));
say(`${watches} watches established after ${((performance.now() - openingMs) / 1000).toFixed(1)} s`);
await sleep(1000);
const open = await memoryOf(server);
say(`${perWatch('rss', open)} bytes of memory each`);

const fanouts: number[] = [];
for (let change = 0; change < values.changes; change++) {
  const received = Promise.all(parts.map((part) => nextMessage(part, 'receivedMs')));
  const startMs = Date.now();
  const placed = placeOrder();
  placed.catch(() => {});
  fanouts.push(Math.max(...(await received)) - startMs);
  await placed;
  say(`change ${change + 1}: received by all after ${fanouts.at(-1)} ms`);
}
const after = await memoryOf(server);
for (const process of [...parts, server]) process.disconnect();

const result = {
  watches,
  bytes_per_watch: perWatch('rss', open),
  heap_bytes_per_watch: perWatch('heapUsed', open) + perWatch('external', open),
  bytes_per_watch_after_changes: perWatch('rss', after),
  fanout_ms: quantile(fanouts, 0.5) ?? Number.NaN,
  worst_fanout_ms: Math.max(...fanouts),
};
say('bytes_per_watch is the growth of the resident set, after a garbage collection');
say(JSON.stringify(result));
if (values.json) await writeFile(values.json, JSON.stringify(result));

function start(name: string, args: string[], execArgv: string[] = []): ChildProcess {
  const child = fork(new URL(`./watches/${name}.ts`, import.meta.url), args, {
    execArgv,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  started.defer(() => void child.kill('SIGKILL'));
  return child;
}

async function nextMessage(child: ChildProcess, key: string): Promise<number> {
  for await (const [message] of on(child, 'message')) {
    if (message.error) throw new Error(`a watch ended: ${message.error}`);
    if (key in message) return message[key];
  }
  throw new Error('the process has ended');
}

async function memoryOf(child: ChildProcess): Promise<NodeJS.MemoryUsage> {
  child.send('measure');
  const [usage] = await once(child, 'message');
  return usage;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
