import { randomUUID } from 'node:crypto';
import { Code } from '@acme/rpc/errors';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { holdLock } from '../support/hold-lock.ts';
import { test } from '../support/pair-test.ts';

test('a cancelled call cancels its SQL statement', async ({ pair }) => {
  const { orders } = await pair.clientsFor('alice');
  await using lock = await holdLock(pair.ordersDatabase, 'LOCK TABLE orders');
  const waiting = async () => {
    const { rows } = await pair.ordersDatabase.query<{ count: bigint }>(
      `SELECT count(*) FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%WHERE id = $1%'`,
    );
    return rows[0]?.count;
  };
  const caller = new AbortController();
  const options = { signal: caller.signal, deadlineMs: 5000 };
  const id = randomUUID();
  const calls = [orders.getOrder({ id }, options), orders.cancelOrder({ id }, options)].map(rejectionOf);
  await eventually(async () => expect(await waiting()).toBe(2n));
  caller.abort();
  for (const error of await Promise.all(calls)) expect(error.code).toBe(Code.CANCELLED);
  // Without a cancellation, the statements would end after the lock_timeout of 5 s.
  await expect.poll(waiting).toBe(0n);
  await lock.release();
});
