import { randomUUID } from 'node:crypto';
import { test as base } from 'vitest';
import { linesOf } from './order-lines.ts';
import { startTestPair, type TestPair } from './start-test-pair.ts';
import { untilSettled } from './until-settled.ts';

/**
 * A test with a pair of services, one for all tests of a file because starting it takes most of a second, and with a
 * customer of its own. Tests of one file use different SKUs.
 */
export const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest wants to see that it uses no other fixture.
  .extend('pair', { scope: 'file' }, async ({}, { onCleanup }) => {
    const pair = await startTestPair();
    onCleanup(() => pair[Symbol.asyncDispose]());
    await warmUp(pair);
    return pair;
  })
  .extend('customerId', () => `customer-${randomUUID()}`)
  .extend('customer', ({ pair, customerId }) => pair.clientsFor(customerId));

/**
 * The first order of a process takes longer than others: on a busy machine so long that it is answered PENDING. Nothing
 * is left of this one.
 */
async function warmUp(pair: TestPair): Promise<void> {
  const { orders } = await pair.clientsFor('warm-up');
  const refused = orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ 'no-such-sku': 1 }) });
  await Promise.allSettled([refused]);
  await untilSettled(pair);
  await pair.ordersDatabase.query('TRUNCATE orders, order_events');
  await pair.inventoryDatabase.query('TRUNCATE reservations');
}
