import { setTimeout as sleep } from 'node:timers/promises';
import type { Replica } from '../../cluster/replica.ts';
import { unsettledOrders } from '../../harness/invariants.ts';
import { areAllCircuitsOpen } from './circuit-logs.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

interface Outage {
  readonly begin: (inventory: Replica) => unknown;
  readonly end: (inventory: Replica) => unknown;
  /** Limit of the time from the call of `end` until all orders are settled. */
  readonly settledWithinMs: number;
}

/** Orders are accepted while inventory is away, and settled soon after its return. */
export const inventoryAway: readonly Scenario[] = [
  outageScenario(
    'inventory-paused',
    'the inventory process is paused (SIGSTOP) for 10 s (3 s in a short run): 500 orders are PENDING',
    {
      begin: (inventory) => inventory.pause(),
      end: (inventory) => inventory.resume(),
      settledWithinMs: 2000,
    },
  ),
  outageScenario(
    'inventory-down',
    'the inventory process is down for 10 s (3 s in a short run): 500 orders are PENDING',
    {
      begin: (inventory) => inventory.kill(),
      end: (inventory) => inventory.start(),
      settledWithinMs: 5000,
    },
  ),
];

function outageScenario(name: string, fault: string, outage: Outage): Scenario {
  return {
    name,
    fault,
    rounds: { short: 1, long: 20 },
    traffic: false,
    round: (context) => placeOrdersMeanwhile(context, outage),
  };
}

/** Waves of this size and interval are 500 orders in 10 s, if each is answered at once. */
const ordersPerWave = 25;
const waveMs = 400;
/** A circuit opens at the deadline of its first call, which is under 1.5 s, but a replica may get no call for long. */
const circuitTimeoutMs = 15_000;
/** Limit of PlaceOrder with an open circuit. */
const answeredWithinMs = 150;
/** Factor of the limits in a short run, for CI: it has few samples, and the machine is busy. */
const shortFactor = 3;

async function placeOrdersMeanwhile(
  context: ScenarioContext,
  { begin, end, settledWithinMs }: Outage,
): Promise<void> {
  const { cluster, isShort, expect, measure } = context;
  await Promise.all(cluster.inventory.map(begin));
  const startMs = performance.now();
  const durations: number[] = [];
  let placed = 0;
  const isEnough = () =>
    performance.now() >= startMs + (isShort ? 3000 : 10_000) && (isShort || placed >= 500);
  const isOver = () =>
    isEnough() && (durations.length > 0 || performance.now() >= startMs + circuitTimeoutMs);
  while (!isOver()) {
    const areOpen = await areAllCircuitsOpen(cluster);
    const wave = await placeWave(context);
    if (areOpen) durations.push(...wave);
    placed += ordersPerWave;
    await sleep(waveMs);
  }
  expect(durations.length > 0, 'the circuits of orders did not open');
  measure('answered', durations, answeredWithinMs * (isShort ? shortFactor : 1));

  const waiting = (await unsettledOrders(cluster)).length;
  expect(waiting === placed, `${waiting} of ${placed} orders are PENDING`);
  const backMs = performance.now();
  await Promise.all(cluster.inventory.map(end));
  while ((await unsettledOrders(cluster)).length > 0 && performance.now() < backMs + 20_000) await sleep(20);
  measure('settled', [performance.now() - backMs], settledWithinMs * (isShort ? shortFactor : 1));
}

/** Places orders concurrently. Returns the durations of the calls, in ms. */
async function placeWave({ customers, purchase, expect }: ScenarioContext): Promise<number[]> {
  const place = async () => {
    const startMs = performance.now();
    const outcome = await customers.place(purchase({ a: 1, b: 2 }));
    expect(outcome.kind === 'ok' && outcome.state === 'PENDING', `answered ${JSON.stringify(outcome)}`);
    return performance.now() - startMs;
  };
  return Promise.all(Array.from({ length: ordersPerWave }, place));
}
