import { unsettledOrders } from '@acme/tools/faults/invariants';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { TestPair } from './start-test-pair.ts';

/** Waits until no order is PENDING and nothing is owed to inventory. */
export async function untilSettled(pair: TestPair): Promise<void> {
  await eventually(async () => expect(await unsettledOrders(pair)).toEqual([]));
}
