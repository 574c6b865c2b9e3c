import { setTimeout as sleep } from 'node:timers/promises';
import type { Replica } from '../../cluster/replica.ts';
import { unsettledOrders } from '../../harness/invariants.ts';
import { areCircuitsOpen } from './circuits.ts';
import type { Row, Stage } from './scenario.ts';

interface Outage {
  readonly begin: (inventory: Replica) => unknown;
  readonly end: (inventory: Replica) => unknown;
  /** From the beginning of its end until all that have waited are settled. */
  readonly settledWithinMs: number;
}

/** Orders are taken while there is nobody to reserve their stock, and settled soon after. */
export const inventoryAway: readonly Row[] = [
  awayRow(
    'sigstop-inventory',
    'inventory is stopped for 10 s (3 s in a short run): 500 orders are PENDING, and settled within 2 s after',
    {
      begin: (inventory) => inventory.signal('SIGSTOP'),
      end: (inventory) => inventory.signal('SIGCONT'),
      settledWithinMs: 2000,
    },
  ),
  awayRow(
    'inventory-down',
    'inventory is down for 10 s (3 s in a short run): 500 orders are PENDING, and settled within 5 s from its start',
    {
      begin: (inventory) => inventory.kill(),
      end: (inventory) => inventory.start(),
      settledWithinMs: 5000,
    },
  ),
];

function awayRow(name: string, fault: string, outage: Outage): Row {
  return {
    name,
    fault,
    rounds: { short: 1, long: 20 },
    traffic: false,
    round: (stage) => takeOrdersMeanwhile(stage, outage),
  };
}

/** As many as make 500 in 10 s, where each is answered at once. */
const ordersAWave = 25;
const waveMs = 400;
/** A replica learns it by the deadline of its first call, which is under a second and a half. */
const learntWithinMs = 15_000;
/** Once orders knows that inventory is away, it waits for it no more. */
const answeredWithinMs = 150;
/** A short run is for CI: it has few orders to judge by, and a machine that is busy. */
const patience = 3;

async function takeOrdersMeanwhile(stage: Stage, { begin, end, settledWithinMs }: Outage): Promise<void> {
  const { rig, isShort, expect, measure } = stage;
  await Promise.all(rig.inventory.map(begin));
  const startMs = performance.now();
  const durations: number[] = [];
  let taken = 0;
  const isEnough = () =>
    performance.now() >= startMs + (isShort ? 3000 : 10_000) && (isShort || taken >= 500);
  // A replica that the customers came to late has learnt late, too.
  const isOver = () => isEnough() && (durations.length > 0 || performance.now() >= startMs + learntWithinMs);
  while (!isOver()) {
    const isKnown = await areCircuitsOpen(rig);
    const wave = await placeWave(stage);
    if (isKnown) durations.push(...wave);
    taken += ordersAWave;
    await sleep(waveMs);
  }
  expect(durations.length > 0, 'orders has not learnt that inventory is away');
  measure('answered', durations, answeredWithinMs * (isShort ? patience : 1));

  const waiting = (await unsettledOrders(rig)).length;
  expect(waiting === taken, `${waiting} orders wait of ${taken}`);
  const backMs = performance.now();
  await Promise.all(rig.inventory.map(end));
  while ((await unsettledOrders(rig)).length > 0 && performance.now() < backMs + 20_000) await sleep(20);
  measure('settled', [performance.now() - backMs], settledWithinMs * (isShort ? patience : 1));
}

/** How long the answers took, in ms. */
async function placeWave({ customers, wish, expect }: Stage): Promise<number[]> {
  const place = async () => {
    const startMs = performance.now();
    const outcome = await customers.place(wish({ a: 1, b: 2 }));
    expect(outcome.kind === 'ok' && outcome.state === 'PENDING', `answered ${JSON.stringify(outcome)}`);
    return performance.now() - startMs;
  };
  return Promise.all(Array.from({ length: ordersAWave }, place));
}
