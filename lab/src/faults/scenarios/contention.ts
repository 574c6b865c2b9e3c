import { setTimeout as sleep } from 'node:timers/promises';
import { untilDefinite } from '../../harness/customer.ts';
import { unsettledOrders } from '../../harness/invariants.ts';
import { untilSettled } from '../../harness/until-settled.ts';
import { circuitsOpened } from './circuits.ts';
import type { Row, Stage } from './scenario.ts';

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
    fault: 'inventory is slow to answer: no order is taken up again before its lease is over',
    rounds: { short: 1, long: 20 },
    traffic: false,
    round: watchLeases,
  },
];

const buyers = 50;

async function sellLastUnit({ rig, round, random, customers, wish, setStock, expect }: Stage): Promise<void> {
  const sku = `last-${round}`;
  await setStock({ [sku]: 1 });
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

/** Settlers leave an order alone for 2.5 s. */
const settlersWaitMs = 2000;

/** A settler whose circuit has just closed makes all orders due in its next turn, half a second later at most. */
const settlersTurnMs = 600;

async function countRepeats({ rig, customers, wish, expect, note }: Stage): Promise<void> {
  // The round before has left orders to the settlers, and on a slow machine circuits that are open: a circuit that
  // closes makes all orders due at once.
  await untilSettled(rig, performance.now());
  for (let order = 0; order < 2 * rig.orders.length; order++) await customers.place(wish({ a: 1 }));
  await untilSettled(rig, performance.now());
  await sleep(settlersTurnMs);
  await rig.inventoryDatabase.query('ALTER TABLE reservations RENAME TO reservations_gone');
  try {
    const before = callsTo(rig);
    const startMs = performance.now();
    let orders = 0;
    // One after the other: orders that come together are asked for by one call, and it could be repeated unseen.
    while (orders < 10 && performance.now() - startMs < settlersWaitMs / 2) {
      await customers.place(wish({ a: 1 }));
      orders += 1;
    }
    const calls = callsTo(rig) - before;
    if (performance.now() - startMs > settlersWaitMs) return note('too slow: settlers have called, too');
    note(`${calls} calls for ${orders} orders`);
    expect(calls <= orders, `inventory was called ${calls} times for ${orders} orders`);
  } finally {
    await rig.inventoryDatabase.query('ALTER TABLE reservations_gone RENAME TO reservations');
  }
}

/** A settler's lease is 2 s at least; half of it is for a look that comes late. */
const soonestMs = 1000;

async function watchLeases({ rig, customers, wish, expect, note }: Stage): Promise<void> {
  for (const line of rig.links.flat()) line.inject('downstream', { delayMs: 300 });
  const openedBefore = await circuitsOpened(rig);
  /** When each order was last taken up, and how often by then. */
  const taken = new Map<string, { attempts: number; atMs: number }>();
  let shortestMs = Infinity;
  const look = async () => {
    const { rows } = await rig.ordersDatabase.query<{ id: string; attempts: number }>(
      'SELECT id, settle_attempts AS attempts FROM orders WHERE settle_attempts > 0',
    );
    const atMs = performance.now();
    for (const { id, attempts } of rows) {
      const before = taken.get(id) ?? { attempts: 0, atMs: -Infinity };
      if (before.attempts === attempts) continue;
      shortestMs = Math.min(shortestMs, attempts - before.attempts > 1 ? 0 : atMs - before.atMs);
      taken.set(id, { attempts, atMs });
    }
  };
  // Those of the rounds before.
  await look();
  const before = taken.size;
  shortestMs = Infinity;
  // No time is left for inventory: the settlers have to see to these.
  await Promise.all(Array.from({ length: 10 }, () => customers.place(wish({ a: 1 }), { deadlineMs: 250 })));
  const endMs = performance.now() + 15_000;
  do {
    await look();
    await sleep(20);
  } while ((await unsettledOrders(rig)).length > 0 && performance.now() < endMs);
  // A circuit that closes makes all orders due at once.
  if ((await circuitsOpened(rig)) > openedBefore) return note('a circuit opened: not judged');
  note(`${taken.size - before} orders taken up`);
  expect(shortestMs >= soonestMs, `an order was taken up again after ${Math.round(shortestMs)} ms`);
}

function callsTo({ counters }: Stage['rig']): number {
  return counters.reduce((sum, { calls }) => sum + calls, 0);
}
