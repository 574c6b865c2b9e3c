import type { Tx } from '@acme/postgres/transaction/transaction';
import { eventually } from '@acme/test/support/eventually';
import { startTestPair, type TestPair } from '@acme/test/support/start-test-pair';
import { untilSettled } from '@acme/test/support/until-settled';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brokenPromises, lostOrders, settledErrors, stockErrors } from './invariants.ts';
import { anyTraffic, send, type Traffic } from './random-traffic.ts';

async function count(database: Tx, from: string): Promise<bigint> {
  const { rows } = await database.query<{ count: bigint }>(`SELECT count(*) FROM ${from}`);
  return rows[0]?.count ?? 0n;
}

/** Sends the traffic, with a look at the stock all the while, and goes through the books when all is settled. */
async function checkBooks(pair: TestPair, name: string, traffic: Traffic): Promise<void> {
  let sending = true;
  const watch = async () => {
    while (sending) expect(await stockErrors(pair)).toEqual([]);
  };
  const [answers] = await Promise.all([
    send(pair, name, traffic).finally(() => {
      sending = false;
    }),
    watch(),
  ]);
  await untilSettled(pair);
  expect(await stockErrors(pair)).toEqual([]);
  expect(await settledErrors(pair)).toEqual([]);
  expect(await lostOrders(pair, answers)).toEqual([]);
  expect(await brokenPromises(pair, answers)).toEqual([]);
}

test('ensure the books hold whatever customers do, on two replicas of orders', async () => {
  await using pair = await startTestPair({ ordersReplicas: 2 });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(anyTraffic({ wishes: 12, calls: 60 }), (traffic) =>
      checkBooks(pair, `run-${run++}`, traffic),
    ),
    // Calls race, so the same traffic need not fail again: nothing is gained by looking for a smaller one.
    { numRuns: 12, endOnFailure: true },
  );
}, 60_000);

test('ensure the books hold when inventory goes away and comes back in the middle', async () => {
  await using pair = await startTestPair({ ordersReplicas: 2 });
  const traffic = fc.sample(anyTraffic({ wishes: 100, calls: 300 }), { numRuns: 1, seed: 6 })[0];
  if (!traffic) throw new Error('there is no traffic');
  const interrupt = async () => {
    await eventually(async () =>
      expect(await count(pair.inventoryDatabase, 'reservations')).toBeGreaterThan(10n),
    );
    await pair.stopInventory();
    await eventually(async () =>
      expect(await count(pair.ordersDatabase, `orders WHERE state = 'PENDING'`)).toBeGreaterThan(3n),
    );
    await pair.restartInventory();
  };
  await Promise.all([checkBooks(pair, 'interrupted', traffic), interrupt()]);
}, 60_000);
