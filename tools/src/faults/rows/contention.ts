import { setTimeout as sleep } from 'node:timers/promises';
import { untilDefinite } from '../customer.ts';
import type { Row, Stage } from '../row.ts';
import { untilSettled } from '../until-settled.ts';

/** Too many who want the same, and too much that is asked of a service that is down. */
export const contention: readonly Row[] = [
  {
    name: 'last-unit',
    fault: '50 buyers want the one unit there is: one gets it',
    rounds: { short: 10, long: 200 },
    rig: { inventoryReplicas: 2 },
    traffic: false,
    round: sellLastUnit,
  },
  {
    name: 'retries',
    fault:
      'inventory answers UNAVAILABLE to everything: it is called 1.1 times as often as orders are placed at the most',
    rounds: { short: 1, long: 20 },
    traffic: false,
    round: countRetries,
  },
  {
    name: 'broken-inventory',
    fault: 'inventory answers INTERNAL: it is not asked again at once',
    rounds: { short: 1, long: 20 },
    traffic: false,
    round: countRepeats,
  },
  {
    name: 'leases',
    fault: 'inventory does not answer: an order is asked about once a lease, by one settler',
    rounds: { short: 1, long: 20 },
    traffic: false,
    round: countAttempts,
  },
];

const buyers = 50;

async function sellLastUnit({ rig, round, random, customers, wish, stockUp, expect }: Stage): Promise<void> {
  const sku = `last-${round}`;
  await stockUp({ [sku]: 1 });
  const buy = async () => {
    const wanted = wish({ [sku]: 1 });
    await untilDefinite(random, { giveUp: false }, () => customers.place(wanted));
  };
  await Promise.all(Array.from({ length: buyers }, buy));
  // Who was answered PENDING, on a machine that is busy, hears of it later.
  await untilSettled(rig, performance.now());
  const { rows } = await rig.ordersDatabase.query<{ outcome: string }>(
    `SELECT string_agg(state || ' ' || count, ', ' ORDER BY state) AS outcome
     FROM (SELECT state, count(*) FROM orders WHERE lines @> $1 GROUP BY state)`,
    [JSON.stringify([{ sku }])],
  );
  const wanted = `CONFIRMED 1, REJECTED ${buyers - 1}`;
  expect(rows[0]?.outcome === wanted, `the orders of the last unit are ${rows[0]?.outcome}, not ${wanted}`);
}

const callsWhileDown = 600;

async function countRetries({ rig, customers, wish, expect, note }: Stage): Promise<void> {
  for (const { databaseLine } of rig.inventory) {
    databaseLine.refuseConnections();
    databaseLine.severAll();
  }
  const before = callsTo(rig);
  let placed = 0;
  const shop = async () => {
    while (placed < callsWhileDown) {
      placed += 1;
      const outcome = await customers.place(wish({ a: 1 }));
      expect(outcome.kind === 'ok', `answered ${JSON.stringify(outcome)}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, shop));
  const ratio = (callsTo(rig) - before) / placed;
  note(`${ratio.toFixed(2)} calls an order`);
  expect(ratio <= 1.1, `inventory was called ${ratio.toFixed(2)} times as often as orders were placed`);
  for (const { databaseLine } of rig.inventory) databaseLine.heal();
}

async function countRepeats({ rig, customers, wish, expect, note }: Stage): Promise<void> {
  await rig.inventoryDatabase.query('ALTER TABLE reservations RENAME TO reservations_gone');
  try {
    const before = callsTo(rig);
    const orders = 10;
    // Settlers begin to look after an order later than this takes.
    await Promise.all(Array.from({ length: orders }, () => customers.place(wish({ a: 1 }))));
    const calls = callsTo(rig) - before;
    note(`${calls} calls for ${orders} orders`);
    expect(calls <= orders, `inventory was called ${calls} times for ${orders} orders`);
  } finally {
    await rig.inventoryDatabase.query('ALTER TABLE reservations_gone RENAME TO reservations');
  }
}

/** The shortest lease of a settler. */
const leaseMs = 2000;

async function countAttempts({ rig, customers, wish, expect, note }: Stage): Promise<void> {
  for (const line of rig.links.flat()) line.inject('upstream', { blackHole: true });
  const startMs = performance.now();
  await Promise.all(Array.from({ length: 10 }, () => customers.place(wish({ a: 1 }), { deadlineMs: 500 })));
  await sleep(6000);
  const { rows } = await rig.ordersDatabase.query<{ attempts: number }>(
    'SELECT max(settle_attempts) AS attempts FROM orders WHERE settle_after IS NOT NULL',
  );
  const attempts = rows[0]?.attempts ?? 0;
  const allowed = Math.ceil((performance.now() - startMs) / leaseMs);
  note(`${attempts} attempts`);
  expect(attempts <= allowed, `an order was taken up ${attempts} times, more than ${allowed}`);
  for (const line of rig.links.flat()) line.heal();
}

function callsTo({ counters }: Stage['rig']): number {
  return counters.reduce((sum, { calls }) => sum + calls, 0);
}
