import { randomUUID } from 'node:crypto';
import { test as base } from 'vitest';
import { startTestPair } from './start-test-pair.ts';

/**
 * A test with a pair of services, one for all tests of a file because starting it takes most of a second, and with a
 * customer of its own. Tests of one file use different SKUs.
 */
export const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest wants to see that it uses no other fixture.
  .extend('pair', { scope: 'file' }, async ({}, { onCleanup }) => {
    const pair = await startTestPair();
    onCleanup(() => pair[Symbol.asyncDispose]());
    return pair;
  })
  .extend('customerId', () => `customer-${randomUUID()}`)
  .extend('customer', ({ pair, customerId }) => pair.clientsFor(customerId));
