import { randomUUID } from 'node:crypto';
import { services, withCalledServices } from '@acme/dev/repository';
import type { RunningServices, ServedConsole } from '@acme/dev/services';
import { startServices } from '@acme/dev/start';
import { Order_StateSchema } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { openTemporaryFolder } from '@acme/lab/harness/temporary-folder';
import { type Client, checkHealth, createClient } from '@acme/rpc/client';
import { beforeAll, expect, test } from 'vitest';
import type { Action, Live, Part, Session, Signals, Trace, TraceList } from '../api.ts';
import { consoleFetch } from '../test/console-fetch.ts';
import { readLive } from '../test/read-live.ts';
import { openConsole } from './open-console.ts';

let console: ServedConsole;
let running: RunningServices;
let orders: Client<typeof OrderService>;

/** The services as `npm start` starts them, with the console. */
beforeAll(async () => {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await openTemporaryFolder('console-'));
  console = started.use(await openConsole({ port: 0, dataFolder: folder.path }));
  expect((await live()).phase).toBe('starting');
  const zero = { orders: 0, inventory: 0 };
  running = started.adopt(
    await startServices({
      dataFolder: folder.path,
      services: withCalledServices(services, Object.keys(zero)),
      ports: zero,
      webPorts: zero,
      console,
      onStep: () => {},
    }),
    (each) => each.close(),
  );
  for (const { name, seed } of services) await seed?.({ ...running, target: running.targets[name] ?? '' });
  console.attach(running);
  started.defer(() => console.detach());
  // With the page's own token.
  const { services: callable } = await get<Session>('/api/session');
  const token = callable.find(({ name }) => name === 'orders')?.token ?? '';
  orders = started.use(
    createClient(OrderService, { target: running.targets.orders ?? '', token: () => token }),
  );
  const kept = started.move();
  return () => kept.disposeAsync();
}, 120_000);

async function get<Answer>(path: string): Promise<Answer> {
  return (await consoleFetch(console.url, path)).json() as Promise<Answer>;
}

async function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return consoleFetch(console.url, path, { method: 'POST', headers, body: JSON.stringify(body) });
}

const live = () => readLive(console.url);

async function partOf(id: string): Promise<Part | undefined> {
  return (await live()).parts.find((part) => part.id === id);
}

const trouble = (part: string, action: Action, forMs: number | null = null) =>
  post('/api/trouble', { part, action, forMs });

/** Places an order, as the page does. */
async function placeOrder() {
  const request = { requestId: randomUUID(), lines: [{ sku: 'SAT-0001', quantity: 2 }] };
  const { order } = await orders.placeOrder(request);
  if (!order) throw new Error('no order');
  return order;
}

const stateOf = async (id: string) =>
  Order_StateSchema.value[(await orders.getOrder({ id })).order?.state ?? 0]?.localName;

test('the trace of an order has the calls of both services, their SQL, and their log lines', async () => {
  const { id } = await placeOrder();
  await expect.poll(() => stateOf(id)).toBe('CONFIRMED');
  const find = async () => {
    const { traces } = await get<TraceList>(`/api/traces?order=${id}&method=PlaceOrder`);
    return traces[0] && (await get<Trace>(`/api/traces/${traces[0].id}`));
  };
  const spansOf = (trace: Trace | undefined) => trace?.spans.map(({ service, kind }) => `${service} ${kind}`);
  await expect.poll(async () => spansOf(await find())).toContain('inventory server');
  await expect.poll(async () => (await find())?.logs.map(({ service }) => service)).toContain('orders');
  const trace = await find();
  expect(spansOf(trace)).toEqual(expect.arrayContaining(['orders server', 'orders client']));
  expect(trace?.spans[0]).toMatchObject({
    name: 'orders.v1.OrderService/PlaceOrder',
    parentId: null,
    code: 'OK',
    attributes: { 'order.id': id },
  });
  expect(trace?.spans.some(({ attributes }) => 'db.query.summary' in attributes)).toBe(true);
});

test('the rates of a method add up to its calls', async () => {
  const counted = async () => {
    const { intervalMs, services: signals } = await get<Signals>('/api/signals?since=0');
    const methods = signals.find(({ service }) => service === 'orders')?.methods ?? [];
    const listing = methods.find(({ method }) => method.endsWith('/ListOrders'));
    return listing?.points.reduce((sum, { perSecond }) => sum + (perSecond * intervalMs) / 1000, 0);
  };
  for (let call = 0; call < 7; call++) await orders.listOrders({});
  await expect.poll(counted).toBe(7);
});

test('the load places orders at its rate, which the books find in the databases', async () => {
  const before = (await live()).books.orders;
  expect((await post('/api/load', { perSecond: 20 })).status).toBe(204);
  await expect.poll(async () => (await live()).books.acknowledged).toBeGreaterThan(20);
  expect((await live()).load).toMatchObject({ wantedPerSecond: 20 });
  await post('/api/load', { perSecond: 0 });
  await expect.poll(async () => (await live()).load).toMatchObject({ waiting: 0, wantedPerSecond: 0 });
  const { acknowledged } = (await live()).books;
  const placed = async () => {
    const { books } = await live();
    const { pending, confirmed, rejected, cancelled } = books.orders;
    return pending + confirmed + rejected + cancelled - (before.confirmed + before.pending);
  };
  await expect.poll(placed).toBeGreaterThanOrEqual(acknowledged);
  expect((await live()).books).toMatchObject({ lost: 0, oversold: 0, wrong: 0, problems: [] });
  expect((await post('/api/load', { perSecond: 1e9 })).status).toBe(400);
});

test('inventory is killed, orders stay PENDING, it is started, and they settle', async () => {
  // The customers of the test before may have cancelled an order whose stock is not released yet.
  const stoppedAtMs = Date.now();
  const isSettled = ({ unsettled, checkedAtMs }: Live['books']) =>
    unsettled === 0 && Number(checkedAtMs) > stoppedAtMs;
  await expect.poll(async () => isSettled((await live()).books)).toBe(true);
  expect((await trouble('service:inventory', 'kill')).status).toBe(204);
  expect(await partOf('service:inventory')).toMatchObject({ state: 'down', actions: ['restart', 'undo'] });
  const { id } = await placeOrder();
  expect(await stateOf(id)).toBe('PENDING');
  await post('/api/acknowledged', {
    customerId: 'console',
    requestId: randomUUID(),
    orderId: id,
    state: 'PENDING',
    units: { 'SAT-0001': 2 },
  });
  await expect.poll(async () => (await live()).books.unsettled).toBe(1);
  expect((await trouble('service:inventory', 'undo')).status).toBe(204);
  expect(await partOf('service:inventory')).toMatchObject({ state: 'up', undoAtMs: null });
  await expect.poll(() => stateOf(id)).toBe('CONFIRMED');
  await expect.poll(async () => (await live()).books).toMatchObject({ unsettled: 0, lost: 0, oversold: 0 });
});

test('the books compare what was acknowledged to a page with the order', async () => {
  const { id, customerId } = await placeOrder();
  // Another request id than the page's own.
  const told = {
    customerId,
    requestId: randomUUID(),
    orderId: id,
    state: 'PENDING',
    units: { 'SAT-0001': 2 },
  };
  expect((await post('/api/acknowledged', told)).status).toBe(204);
  const problem = `order ${id} belongs to another request`;
  await expect.poll(async () => (await live()).books.problems).toContain(problem);
});

test('the timer resumes a paused service, and mends a line that is cut', async () => {
  await trouble('service:inventory', 'pause', 500);
  expect(await partOf('service:inventory')).toMatchObject({ state: 'paused', undoAtMs: expect.any(Number) });
  await expect.poll(async () => (await partOf('service:inventory'))?.state).toBe('up');
  await trouble('line:orders-inventory', 'cut', 500);
  expect(await partOf('line:orders-inventory')).toMatchObject({ state: 'cut' });
  await expect.poll(async () => (await partOf('line:orders-inventory'))?.state).toBe('up');
});

test('the database is killed, the books cannot be checked, and it is started again with its data', async () => {
  const { id } = await placeOrder();
  await trouble('database', 'kill');
  expect(await partOf('database')).toMatchObject({ state: 'down', actions: ['restart', 'undo'] });
  await expect.poll(async () => (await live()).books.cannotCheck).not.toBeNull();
  await trouble('database', 'undo');
  expect(await partOf('database')).toMatchObject({ state: 'up' });
  await expect.poll(() => stateOf(id).catch(() => 'no answer')).toBe('CONFIRMED');
  await expect.poll(async () => (await live()).books).toMatchObject({ cannotCheck: null, lost: 0 });
}, 60_000);

test.for([
  ['/api/trouble', { part: 'service:other', action: 'kill', forMs: null }, 404],
  ['/api/trouble', { part: 'service:orders', action: 'cut', forMs: null }, 409],
  ['/api/trouble', { part: 'service:orders', action: 'explode', forMs: null }, 400],
  ['/api/trouble', { part: 'service:orders', action: 'kill', forMs: 1e12 }, 400],
  ['/api/load', { perSecond: -1 }, 400],
  ['/api/acknowledged', { orderId: 'no uuid' }, 400],
] as const)('a request of another form is rejected: %s %o', async ([path, body, status]) => {
  const answer = await post(path, body);
  expect([answer.status, await answer.json()]).toEqual([status, { message: expect.stringMatching(/./) }]);
});

test('a service that is paused when the services are to stop is resumed, and nothing is broken any more', async () => {
  const { inventory = '' } = running.targets;
  await trouble('service:inventory', 'pause');
  await console.detach();
  await expect.poll(() => checkHealth(inventory)).toBe(true);
  expect(await live()).toMatchObject({ phase: 'stopping', parts: [] });
  expect((await trouble('service:inventory', 'kill')).status).toBe(503);
});
