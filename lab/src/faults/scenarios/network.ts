import { setTimeout as sleep } from 'node:timers/promises';
import type { Direction, FaultProxy, Faults } from '@acme/rpc/testing';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Random } from '../../harness/seeded-random.ts';
import { expectOrderWithin, measureTimerLag } from './expectations.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

const bothDirections: readonly Direction[] = ['upstream', 'downstream'];

/** Network faults between customers and orders, and between orders and inventory. */
export const network: readonly Scenario[] = [
  {
    name: 'black-hole',
    fault: 'no bytes pass in one direction: deadlines are kept',
    rounds: { short: 4, long: 20 },
    traffic: false,
    round: blackHole,
  },
  linkScenario('replies-dropped', 'requests arrive, responses are dropped', () => ({ drop: true }), [
    'downstream',
  ]),
  linkScenario('reset-mid-frame', 'connections are reset after some bytes, inside frames', (random) => ({
    resetAfterBytes: random.int(1, 3000),
  })),
  linkScenario('cut-after-bytes', 'connections end after some bytes, and later bytes are lost', (random) => ({
    cutAfterBytes: random.int(1, 3000),
  })),
  linkScenario('slow-line', 'connections are limited to 10 kB/s', () => ({ bytesPerSecond: 10_000 })),
  linkScenario('one-byte-slices', 'bytes arrive one at a time', () => ({ slice: true })),
  linkScenario('jittery-line', 'bytes are delayed by up to 1 s', () => ({
    delayMs: 500,
    jitterMs: 500,
  })),
  {
    name: 'cancel-storm',
    fault: '1,000 calls on one connection are cancelled by their callers',
    rounds: { short: 1, long: 20 },
    traffic: false,
    round: cancelStorm,
  },
];

/** Returns the proxies of a round: from orders to inventory in even rounds, from customers to orders in odd ones. */
function linksOf({ orders, links }: Cluster, round: number): readonly FaultProxy[] {
  return round % 2 === 0 ? links.flat() : orders.map(({ front }) => front);
}

function linkScenario(
  name: string,
  fault: string,
  faults: (random: Random) => Faults,
  directions: readonly Direction[] = bothDirections,
): Scenario {
  return {
    name,
    fault,
    rounds: { short: 2, long: 20 },
    round: async ({ cluster, random, round }) => {
      const links = linksOf(cluster, round);
      for (const link of links) for (const direction of directions) link.inject(direction, faults(random));
      await sleep(random.int(600, 1500));
      for (const link of links) {
        link.heal();
        // A connection with dropped bytes cannot go on.
        link.severAll();
      }
    },
  };
}

async function blackHole(context: ScenarioContext): Promise<void> {
  const { cluster, round, customers, purchase, expect } = context;
  const links = linksOf(cluster, round);
  const isCustomers = round % 2 === 1;
  const direction = bothDirections[Math.floor(round / 2) % 2] ?? 'upstream';
  for (const link of links) link.inject(direction, { blackHole: true });
  const deadlineMs = 1000;
  const tolerance = measureTimerLag();
  const place = async () => {
    const startMs = performance.now();
    const outcome = await customers.place(purchase({ a: 1 }), { deadlineMs });
    return { outcome, tookMs: performance.now() - startMs };
  };
  const calls = await Promise.all(Array.from({ length: 5 }, place));
  tolerance.stop();
  for (const { outcome, tookMs } of calls) {
    const answer = outcome.kind === 'ok' ? outcome.state : outcome.code;
    const expected = isCustomers ? 'DEADLINE_EXCEEDED' : 'PENDING';
    const times = `after ${Math.round(tookMs)} ms, with ${Math.round(tolerance.ms)} ms of tolerance`;
    expect(answer === expected, `${direction}: answered ${answer} instead of ${expected} ${times}`);
    expect(tookMs <= deadlineMs + tolerance.ms, `${direction}: answered ${answer} ${times}`);
    if (isCustomers) expect(tookMs >= deadlineMs - tolerance.ms, `${direction}: answered ${answer} ${times}`);
  }
  for (const link of links) {
    link.heal();
    link.severAll();
  }
  // Callers reconnect before the next direction is closed.
  await expectOrderWithin(context, recoveryMs);
}

const recoveryMs = 5000;
const storm = 1000;

async function cancelStorm(context: ScenarioContext): Promise<void> {
  const { cluster, random, customers, purchase, expect } = context;
  const before = cluster.orders.map(({ pid }) => pid);
  const call = async () => {
    const caller = new AbortController();
    setTimeout(() => caller.abort(), random.int(0, 100));
    await customers.place(purchase({ a: 1 }), { signal: caller.signal });
  };
  await Promise.all(Array.from({ length: storm }, call));
  await expectOrderWithin(context, 2000);
  const after = cluster.orders.map(({ pid }) => pid);
  expect(before.join() === after.join(), 'an orders process was restarted');
}
