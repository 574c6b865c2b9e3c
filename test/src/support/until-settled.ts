import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { TestPair } from './start-test-pair.ts';

/** Waits until no order is PENDING and all stock of cancelled orders is released. */
export async function untilSettled(pair: TestPair): Promise<void> {
  await eventually(async () => {
    const { rows } = await pair.ordersDatabase.query(
      `SELECT id FROM orders WHERE state = 'PENDING' OR settle_after IS NOT NULL`,
    );
    expect(rows).toEqual([]);
  });
}
