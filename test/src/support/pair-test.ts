import { randomUUID } from 'node:crypto';
import { test as base } from 'vitest';
import { linesOf } from './order-lines.ts';
import { startTestPair, type TestPair } from './start-test-pair.ts';
import { untilSettled } from './until-settled.ts';

/**
 * Test with a pair of services, and with its own customer. All tests of a file share the pair, because its start is slow, so
 * they must use different SKUs.
 */
export const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest parses the parameter to find the fixtures that it uses.
  .extend('pair', { scope: 'file' }, async ({}, { onCleanup }) => {
    const pair = await startTestPair();
    onCleanup(() => pair[Symbol.asyncDispose]());
    await warmUp(pair);
    return pair;
  })
  .extend('customerId', () => `customer-${randomUUID()}`)
  .extend('customer', ({ pair, customerId }) => pair.clientsFor(customerId));

/**
 * Places an order and deletes it. The first order of a process is slow: on a busy machine it would be returned PENDING.
 */
async function warmUp(pair: TestPair): Promise<void> {
  const { orders } = await pair.clientsFor('warm-up');
  const rejected = orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ 'no-such-sku': 1 }) });
  await Promise.allSettled([rejected]);
  await untilSettled(pair);
  await pair.ordersDatabase.query('TRUNCATE orders, order_events');
  await pair.inventoryDatabase.query('TRUNCATE reservations');
}
