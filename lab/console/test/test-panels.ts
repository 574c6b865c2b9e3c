import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import type { Checks } from '@acme/lab/browser/checks';
import type { Signals, TraceList } from '../api.ts';
import type { ConsolePage } from './console-page.ts';
import type { RunningConsole } from './running-console.ts';

type Check = Checks['check'];

/** A minute, as the other waits. */
const pollAttempts = 240;
const pollMs = 250;

const states = {
  pending: Order_State.PENDING,
  confirmed: Order_State.CONFIRMED,
  rejected: Order_State.REJECTED,
  cancelled: Order_State.CANCELLED,
} as const;

/** Each panel shows what a direct gRPC call says. Expects that no other orders are placed. */
export async function testPanels(page: ConsolePage, running: RunningConsole, check: Check): Promise<void> {
  await page.untilText('[data-part="service:orders"] .part-state', (text) => text === 'up');
  await testLoad(page, check);
  const order = await testOrders(page, running, check);
  await testCounts(page, running, check);
  await testStock(page, running, check);
  await testOwnOrder(page, running, check);
  await testTraces(page, order, check);
  await testSignals(page, running, check);
}

/** The slider makes load, and ends it. */
async function testLoad(page: ConsolePage, check: Check): Promise<void> {
  const figure = '[data-figure="Acknowledged"] .value';
  const before = numberOf(await page.untilText(figure, (text) => Number.isFinite(numberOf(text))));
  await setRate(page, 40);
  const acknowledged = await page.untilText(figure, (text) => numberOf(text) > before + 50);
  check('the slider makes load', true, acknowledged);
  await setRate(page, 0);
  await page.untilText('[data-answers="answered"]', (text) => text === '0/s');
  await page.untilText('[data-answers="waiting"]', (text) => text === '0');
  await page.untilText('[data-figure="Unsettled"] .value', (text) => text === '0');
  await page.untilText('[data-count="pending"]', (text) => text === '0');
  // At a high rate the list is a sample, which can leave out an order.
  await page.untilText('.order-list caption', (text) => text === 'Newest first');
}

/** Sets the slider as a reader does who drags it. */
export async function setRate(page: ConsolePage, perSecond: number): Promise<void> {
  await page.page.evaluate(`{
    const slider = document.querySelector('#rate');
    slider.value = ${perSecond};
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  }`);
  await page.untilText('.wanted', (text) => text === String(perSecond));
}

async function testOrders(page: ConsolePage, running: RunningConsole, check: Check): Promise<Order> {
  const { order } = await running.orders.placeOrder({
    requestId: crypto.randomUUID(),
    customerId: running.customers[0] ?? '',
    lines: [
      { sku: 'SAT-0300', quantity: 2 },
      { sku: 'SAT-0301', quantity: 1 },
    ],
  });
  if (!order) throw new Error('orders returned no order');
  const row = `tr[data-order="${order.id}"]`;
  await page.untilShown(`${row}[data-state="confirmed"]`);
  const lines = await page.text(`${row} .lines`);
  check('the feed shows an order that was placed elsewhere', lines === '2 × SAT-0300, 1 × SAT-0301', lines);
  await page.click(`${row} a`);
  const facts = await page.untilText('.facts', (text) => text.includes('SAT-0301'));
  const got = await running.orders.getOrder({ id: order.id });
  check(
    "an order's page shows its lines, its customer and its events",
    got.order?.state === Order_State.CONFIRMED &&
      ['SAT-0300', 'pending', 'confirmed', got.order.customerId].every((each) => facts.includes(each)),
    facts,
  );
  // Spans arrive in batches.
  const timeline = await page.untilText('.timeline', (text) =>
    ['T1: stores the order', 'reserve: asks inventory', 'T3: stores the outcome'].every((each) =>
      text.includes(each),
    ),
  );
  check("an order's page shows T1, the reserve and T3 of its trace", true, timeline);
  await page.back();
  await page.untilShown('.overview');
  check('back leads to the overview', true);
  return order;
}

async function testCounts(page: ConsolePage, running: RunningConsole, check: Check): Promise<void> {
  for (const [name, state] of Object.entries(states)) {
    const listed = await Promise.all(
      running.customers.map((customer) => countOrders(running, customer, state)),
    );
    const total = listed.reduce((sum, each) => sum + each, 0);
    const shown = await page
      .untilText(`[data-count="${name}"]`, (text) => numberOf(text) === total)
      .catch(String);
    check(`the count of ${name} orders is that of ListOrders`, numberOf(shown) === total, { total, shown });
  }
}

async function countOrders(running: RunningConsole, customerId: string, state: Order_State): Promise<number> {
  let count = 0;
  let pageToken = '';
  do {
    const page = await running.orders.listOrders({ customerId, state, pageToken, pageSize: 200 });
    count += page.orders.length;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return count;
}

async function testStock(page: ConsolePage, running: RunningConsole, check: Check): Promise<void> {
  const skus = await page.texts('.stock .sku');
  check('the stock panel shows the busiest items', skus.length === 12, skus);
  for (const sku of skus.slice(0, 3)) {
    const { stock } = await running.inventory.getStock({ sku });
    const direct = [stock?.reserved, stock?.available, stock?.onHand].join(' ');
    const read = async () => (await page.texts(`[data-sku="${sku}"] td.number`)).map(numberOf).join(' ');
    let shown = await read();
    // The feed brings the last changes a moment later than a call.
    for (let attempt = 0; attempt < pollAttempts && shown !== direct; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      shown = await read();
    }
    check(`the stock of ${sku} is that of GetStock`, shown === direct, { shown, direct });
  }
}

async function testOwnOrder(page: ConsolePage, running: RunningConsole, check: Check): Promise<void> {
  const before = numberOf((await page.text('[data-figure="Acknowledged"] .value')) ?? '');
  await page.click('.place-one button');
  await page.untilShown('.place-one a[data-order]');
  const id = (await page.page.evaluate(
    `document.querySelector('.place-one a[data-order]').dataset.order`,
  )) as string;
  const { order } = await running.orders.getOrder({ id });
  const shown = await page.text('.place-one .state');
  check('the page places an order', order?.state === Order_State.CONFIRMED && shown === 'confirmed', shown);
  const after = await page.untilText(
    '[data-figure="Acknowledged"] .value',
    (text) => numberOf(text) > before,
  );
  check('the books know the order that the page has placed', numberOf(after) === before + 1, {
    before,
    after,
  });
}

async function testTraces(page: ConsolePage, order: Order, check: Check): Promise<void> {
  await page.open('#/traces');
  await page.page.locator('input[name="order"]').fill(order.id);
  await page.click('.search button');
  await page.untilText('.trace-list tbody', (text) => text.includes(order.id.slice(-6)));
  const { traces } = await page.api<TraceList>(`/api/traces?order=${order.id}`);
  await page.untilText('.trace-list caption', (text) => text.startsWith(`${traces.length} of`));
  const rows = await page.texts('.trace-list tbody tr');
  check('a search by order id finds its trace', rows.length === traces.length && traces.length > 0, rows);
  await page.click('.trace-list tbody a');
  // Each service exports its spans at times of its own.
  const spans = await page.untilText('.waterfall', (text) =>
    [
      'orders PlaceOrder',
      'orders place-orders',
      'orders reserve-stock',
      'settle-orders',
      'inventory',
      'SQL',
    ].every((each) => text.includes(each)),
  );
  check('the waterfall shows the call, both services and their statements', true, spans);
  await page.click('.waterfall li:nth-child(2) button');
  await page.untilText('.details', (text) => text.includes('internal'));
  await page.click('.waterfall li:nth-child(1) button');
  const details = await page.untilText('.details', (text) => text.includes(order.id));
  check('a selected span shows its attributes', details.includes('order.state'), details);
  const lines = await page.untilText('.logs', (text) => text.includes('PlaceOrder'));
  check('the log line of the call is beside its trace', lines.includes('code=OK'), lines);
}

const calls = 40;

async function testSignals(page: ConsolePage, running: RunningConsole, check: Check): Promise<void> {
  const method = 'inventory.v1.InventoryService/GetStock';
  await page.open('#/signals');
  const before = await settledCount(page, method);
  for (let call = 0; call < calls; call++) await running.inventory.getStock({ sku: 'SAT-0001' });
  await page.untilShown(`[data-method="${method}"]`);
  let after = before;
  for (let attempt = 0; attempt < pollAttempts && after < before + calls; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    after = await counted(page, method);
  }
  check('the signals count the calls that were made', Math.round(after - before) === calls, {
    before,
    after,
  });
  const charts = await page.texts(`[data-method="${method}"] .chart-title`);
  check(
    'a method has its rate, its errors and its latency',
    charts.join() === 'Calls per second,Errors,Latency',
    charts,
  );
  const saturation = await page.texts('[data-service="inventory"] .saturation .chart-title');
  check(
    'a service has its saturation',
    saturation.includes('Admission') && saturation.length === 6,
    saturation,
  );
  await page.open('#/overview');
}

/** Returns the number of calls once the services have exported those that were made before. */
async function settledCount(page: ConsolePage, method: string): Promise<number> {
  const { intervalMs } = await page.api<Signals>('/api/signals?since=0');
  for (let count = await counted(page, method); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 3 * intervalMs));
    const next = await counted(page, method);
    if (next === count) return count;
    count = next;
  }
}

/** Returns the number of calls of a method in the last ten minutes, by the rates that the charts draw. */
async function counted(page: ConsolePage, method: string): Promise<number> {
  const { intervalMs, services } = await page.api<Signals>('/api/signals?since=0');
  const points =
    services.flatMap(({ methods }) => methods).find((each) => each.method === method)?.points ?? [];
  return points.reduce((sum, { perSecond }) => sum + (perSecond * intervalMs) / 1000, 0);
}

function numberOf(text: string): number {
  return Number(text.replaceAll(',', ''));
}
