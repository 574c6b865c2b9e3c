import type { Tx } from '@acme/postgres/transaction';
import { eventually } from '@acme/test/support/eventually';
import { startTestPair, type TestPair } from '@acme/test/support/start-test-pair';
import { untilSettled } from '@acme/test/support/until-settled';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { acknowledgementErrors, lostOrders, settledErrors, stockErrors } from './invariants.ts';
import { anyTraffic, send, type Traffic } from './random-traffic.ts';

async function count(database: Tx, from: string): Promise<bigint> {
  const { rows } = await database.query<{ count: bigint }>(`SELECT count(*) FROM ${from}`);
  return rows[0]?.count ?? 0n;
}

/** Sends the traffic, checks the stock meanwhile, and checks both databases when all orders are settled. */
async function checkTraffic(pair: TestPair, name: string, traffic: Traffic): Promise<void> {
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
  expect(await acknowledgementErrors(pair, answers)).toEqual([]);
}

test('the invariants hold under random traffic on two orders replicas', async () => {
  await using pair = await startTestPair({ ordersReplicas: 2 });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(anyTraffic({ purchases: 12, calls: 60 }), (traffic) =>
      checkTraffic(pair, `run-${run++}`, traffic),
    ),
    // Calls race, so the same traffic need not fail again. Shrinking would be useless.
    { numRuns: 12, endOnFailure: true },
  );
}, 60_000);

test('the invariants hold when inventory stops and restarts under random traffic', async () => {
  await using pair = await startTestPair({ ordersReplicas: 2 });
  const traffic = fc.sample(anyTraffic({ purchases: 100, calls: 300 }), { numRuns: 1, seed: 6 })[0];
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
  await Promise.all([checkTraffic(pair, 'interrupted', traffic), interrupt()]);
}, 60_000);
