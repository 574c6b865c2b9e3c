import { startTestPair } from '@acme/test/support/start-test-pair';
import { placeOrder } from '@acme/test/support/watched-orders';
import { expect, test } from 'vitest';
import { runFeed } from './run-feed.ts';

test('watchers that end and resume at random receive every event once, in order, on two replicas', async () => {
  await using pair = await startTestPair({ ordersReplicas: 2 });
  await pair.setStock({ fed: 1_000_000 });
  const auditor = ['orders:read', 'orders:read:any'];
  const [one, other] = [
    (await pair.clientsFor('auditor', auditor, 0)).orders,
    (await pair.clientsFor('auditor', auditor, 1)).orders,
  ];
  const customer = (await pair.clientsFor('feed-1')).orders;
  const { events, resumptions, problems } = await runFeed({
    pool: pair.ordersDatabase,
    replicas: [one, other],
    events: 2000,
    writers: 16,
    watchers: 8,
    meanwhile: async (signal) => {
      // Failed calls do not matter: watchers are compared with the table.
      while (!signal.aborted) await placeOrder(customer, 'fed').catch(() => {});
    },
  });
  expect(problems).toEqual([]);
  expect(events).toBeGreaterThanOrEqual(2000);
  expect(resumptions).toBeGreaterThan(8);
}, 120_000);
