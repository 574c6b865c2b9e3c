import { setTimeout as sleep } from 'node:timers/promises';
import { untilDefinite } from '../../harness/customers.ts';
import { unsettledOrders } from '../../harness/invariants.ts';
import { untilSettled } from '../../harness/until-settled.ts';
import { countOpenedCircuits } from './circuit-logs.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Contention for stock, and load on an inventory that fails. */
export const contention: readonly Scenario[] = [
  {
    name: 'last-unit',
    fault: '50 buyers order the last unit: one gets it',
    rounds: { short: 10, long: 200 },
    cluster: { inventoryReplicas: 2 },
    traffic: false,
    round: sellLastUnit,
  },
  {
    name: 'retries',
    fault: 'inventory returns UNAVAILABLE to every call: it receives at most 1.1 calls per order',
    rounds: { short: 1, long: 20 },
    traffic: false,
    round: countRetries,
  },
  {
    name: 'broken-inventory',
    fault: 'inventory returns INTERNAL: orders does not retry at once',
    rounds: { short: 1, long: 20 },
    traffic: false,
    round: countRepeats,
  },
  {
    name: 'leases',
    fault: 'inventory responds slowly: no order is leased again before its lease expires',
    rounds: { short: 1, long: 20 },
    traffic: false,
    round: watchLeases,
  },
];

const buyers = 50;

async function sellLastUnit({
  cluster,
  round,
  random,
  customers,
  purchase,
  setStock,
  expect,
}: ScenarioContext): Promise<void> {
  const sku = `last-${round}`;
  await setStock({ [sku]: 1 });
  const buy = async () => {
    const order = purchase({ [sku]: 1 });
    await untilDefinite(random, { giveUp: false }, () => customers.place(order));
  };
  await Promise.all(Array.from({ length: buyers }, buy));
  // On a busy machine some orders are answered PENDING and settled later.
  await untilSettled(cluster, performance.now());
  const { rows } = await cluster.ordersDatabase.query<{ outcome: string }>(
    `SELECT string_agg(state || ' ' || count, ', ' ORDER BY state) AS outcome
     FROM (SELECT state, count(*) FROM orders WHERE lines @> $1 GROUP BY state)`,
    [JSON.stringify([{ sku }])],
  );
  const expected = `CONFIRMED 1, REJECTED ${buyers - 1}`;
  expect(
    rows[0]?.outcome === expected,
    `the orders of the last unit are ${rows[0]?.outcome}, not ${expected}`,
  );
}

const callsWhileDown = 600;

async function countRetries({ cluster, customers, purchase, expect, note }: ScenarioContext): Promise<void> {
  for (const { databaseLink } of cluster.inventory) {
    databaseLink.refuseConnections();
    databaseLink.severAll();
  }
  const before = callsTo(cluster);
  let placed = 0;
  const shop = async () => {
    while (placed < callsWhileDown) {
      placed += 1;
      const outcome = await customers.place(purchase({ a: 1 }));
      expect(outcome.kind === 'ok', `answered ${JSON.stringify(outcome)}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, shop));
  const ratio = (callsTo(cluster) - before) / placed;
  note(`${ratio.toFixed(2)} calls per order`);
  expect(ratio <= 1.1, `inventory received ${ratio.toFixed(2)} calls per order`);
  for (const { databaseLink } of cluster.inventory) databaseLink.heal();
}

/** Settlers do not touch a new order for 2.5 s. */
const settlerGraceMs = 2000;

/** After its circuit has closed, a settler makes all orders due within half a second. */
const settlerPollMs = 600;

async function countRepeats({ cluster, customers, purchase, expect, note }: ScenarioContext): Promise<void> {
  // The last round has left orders to the settlers and, on a slow machine, open circuits. A circuit that closes makes
  // all orders due at once.
  await untilSettled(cluster, performance.now());
  for (let order = 0; order < 2 * cluster.orders.length; order++) await customers.place(purchase({ a: 1 }));
  await untilSettled(cluster, performance.now());
  await sleep(settlerPollMs);
  await cluster.inventoryDatabase.query('ALTER TABLE reservations RENAME TO reservations_gone');
  try {
    const before = callsTo(cluster);
    const startMs = performance.now();
    let orders = 0;
    // Sequentially, because concurrent orders share one call, whose retry would go unnoticed.
    while (orders < 10 && performance.now() - startMs < settlerGraceMs / 2) {
      await customers.place(purchase({ a: 1 }));
      orders += 1;
    }
    const calls = callsTo(cluster) - before;
    if (performance.now() - startMs > settlerGraceMs) return note('too slow: settlers have called, too');
    note(`${calls} calls for ${orders} orders`);
    expect(calls <= orders, `inventory received ${calls} calls for ${orders} orders`);
  } finally {
    await cluster.inventoryDatabase.query('ALTER TABLE reservations_gone RENAME TO reservations');
  }
}

/** A lease lasts at least 2 s. Half of that allows for a late poll of this process. */
const minLeaseMs = 1000;

async function watchLeases({ cluster, customers, purchase, expect, note }: ScenarioContext): Promise<void> {
  for (const link of cluster.links.flat()) link.inject('downstream', { delayMs: 300 });
  const openedBefore = await countOpenedCircuits(cluster);
  /** Number of leases of each order, and the time of the last one. */
  const leases = new Map<string, { attempts: number; atMs: number }>();
  let shortestMs = Infinity;
  const poll = async () => {
    const { rows } = await cluster.ordersDatabase.query<{ id: string; attempts: number }>(
      'SELECT id, settle_attempts AS attempts FROM orders WHERE settle_attempts > 0',
    );
    const atMs = performance.now();
    for (const { id, attempts } of rows) {
      const before = leases.get(id) ?? { attempts: 0, atMs: -Infinity };
      if (before.attempts === attempts) continue;
      shortestMs = Math.min(shortestMs, attempts - before.attempts > 1 ? 0 : atMs - before.atMs);
      leases.set(id, { attempts, atMs });
    }
  };
  // Records the orders of earlier rounds.
  await poll();
  const before = leases.size;
  shortestMs = Infinity;
  // The deadline leaves no time for inventory, so that the settlers take these orders.
  await Promise.all(
    Array.from({ length: 10 }, () => customers.place(purchase({ a: 1 }), { deadlineMs: 250 })),
  );
  const endMs = performance.now() + 15_000;
  do {
    await poll();
    await sleep(20);
  } while ((await unsettledOrders(cluster)).length > 0 && performance.now() < endMs);
  // A circuit that closes makes all orders due at once.
  if ((await countOpenedCircuits(cluster)) > openedBefore) return note('a circuit opened: not checked');
  note(`${leases.size - before} orders leased`);
  expect(shortestMs >= minLeaseMs, `an order was leased again after ${Math.round(shortestMs)} ms`);
}

function callsTo({ counters }: ScenarioContext['cluster']): number {
  return counters.reduce((sum, { calls }) => sum + calls, 0);
}
