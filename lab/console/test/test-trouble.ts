import { Order_State } from '@acme/gen/orders/v1/order_pb';
import type { Checks } from '@acme/lab/browser/checks';
import type { ConsolePage } from './console-page.ts';
import type { RunningConsole } from './running-console.ts';

/**
 * What browsers log about the watch of a service that is killed, and about a call that is on its way. A page cannot prevent it. Calls of
 * a service that is down are not among it: the page makes none.
 */
const unavoidable = [
  /net::ERR_(INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|CONNECTION_RESET|CONNECTION_REFUSED)/,
  /NetworkError when attempting to fetch/,
  /The connection to .* was interrupted/,
];

const inventoryPart = '[data-part="service:inventory"]';

/** Inventory is killed from the page, orders turn PENDING, it is started from the page, they settle, the invariants hold. */
export async function testTrouble(
  page: ConsolePage,
  running: RunningConsole,
  check: Checks['check'],
): Promise<void> {
  await page.open('#/overview');
  const before = page.problems.length;
  await page.click('.choice label:last-of-type');
  await page.click('button[aria-label="Kill inventory"]');
  await page.untilText(`${inventoryPart} .part-state`, (text) => text === 'down');
  check('inventory is killed from the page', !(await answers(running)));
  const notice = await page.untilText('.stock .notice', (text) => text.includes('inventory'));
  check('the stock panel says that inventory is down', notice.startsWith('inventory is down'), notice);

  const { order } = await running.orders.placeOrder({
    requestId: crypto.randomUUID(),
    customerId: running.customers[0] ?? '',
    lines: [{ sku: 'SAT-0302', quantity: 1 }],
  });
  const row = `tr[data-order="${order?.id}"]`;
  await page.untilShown(`${row}[data-state="pending"]`);
  check('an order turns PENDING', order?.state === Order_State.PENDING, order?.state);
  const unsettled = await page.untilText('[data-figure="Unsettled"] .value', (text) => text !== '0');
  check('unsettled orders are counted', Number(unsettled) > 0, unsettled);

  await page.click('button[aria-label="Start inventory"]');
  await page.untilText(`${inventoryPart} .part-state`, (text) => text === 'up');
  check('inventory is started from the page', await answersAgain(running));
  await page.untilShown(`${row}[data-state="confirmed"]`);
  const settled = await running.orders.getOrder({ id: order?.id ?? '' });
  check('the order is settled', settled.order?.state === Order_State.CONFIRMED, settled.order?.state);
  await page.untilText('[data-figure="Unsettled"] .value', (text) => text === '0');
  for (const figure of ['Lost', 'Oversold']) {
    const value = await page.text(`[data-figure="${figure}"] .value`);
    check(`${figure} is 0`, value === '0', value);
  }
  await page.page.waitForFunction(`document.querySelector('.stock .notice') === null`);
  check('the stock is live again', true);
  // They were logged while inventory was killed.
  const logged = page.problems.splice(before);
  page.problems.push(...logged.filter((text) => !unavoidable.some((each) => each.test(text))));
}

async function answers({ inventory }: RunningConsole): Promise<boolean> {
  return await inventory.getStock({ sku: 'SAT-0001' }).then(
    () => true,
    () => false,
  );
}

/** The client waits before it connects again. */
async function answersAgain(running: RunningConsole): Promise<boolean> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await answers(running)) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}
