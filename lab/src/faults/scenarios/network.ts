import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults } from '@acme/rpc/testing/network/fault-lane';
import type { Direction, FaultProxy } from '@acme/rpc/testing/network/fault-proxy';
import type { Rig } from '../../cluster/cluster.ts';
import type { Random } from '../../harness/seeded-random.ts';
import { expectRecovery, watchTolerance } from './recovery.ts';
import type { Row, Stage } from './scenario.ts';

const bothDirections: readonly Direction[] = ['upstream', 'downstream'];

/** What networks do, between customers and orders, and between orders and inventory. */
export const network: readonly Row[] = [
  {
    name: 'black-hole',
    fault: 'nothing passes in one direction; deadlines are kept',
    rounds: { short: 4, long: 20 },
    traffic: false,
    round: blackHole,
  },
  onLines('replies-dropped', 'requests arrive and their answers do not', () => ({ drop: true }), [
    'downstream',
  ]),
  onLines('reset-mid-frame', 'connections are reset after some bytes, in the middle of frames', (random) => ({
    resetAfterBytes: random.int(1, 3000),
  })),
  onLines('cut-after-bytes', 'connections end after some bytes, and the rest is lost', (random) => ({
    cutAfterBytes: random.int(1, 3000),
  })),
  onLines('slow-line', '10 KB a second', () => ({ bytesPerSecond: 10_000 })),
  onLines('one-byte-slices', 'bytes arrive one by one', () => ({ slice: true })),
  onLines('jittery-line', 'bytes are 500 ms late, give or take 500 ms', () => ({
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

/** Which lines a round is about: those of the customers, or those to inventory, in turn. */
function linesOf({ orders, links }: Rig, round: number): readonly FaultProxy[] {
  return round % 2 === 0 ? links.flat() : orders.map(({ front }) => front);
}

function onLines(
  name: string,
  fault: string,
  faults: (random: Random) => Faults,
  directions: readonly Direction[] = bothDirections,
): Row {
  return {
    name,
    fault,
    rounds: { short: 2, long: 20 },
    round: async ({ rig, random, round }) => {
      const lines = linesOf(rig, round);
      for (const line of lines) for (const direction of directions) line.inject(direction, faults(random));
      await sleep(random.int(600, 1500));
      for (const line of lines) {
        line.heal();
        // What was dropped is missing in the middle of the stream.
        line.severAll();
      }
    },
  };
}

async function blackHole(stage: Stage): Promise<void> {
  const { rig, round, customers, wish, expect } = stage;
  const lines = linesOf(rig, round);
  const isCustomers = round % 2 === 1;
  const direction = bothDirections[Math.floor(round / 2) % 2] ?? 'upstream';
  for (const line of lines) line.inject(direction, { blackHole: true });
  const deadlineMs = 1000;
  const tolerance = watchTolerance();
  const place = async () => {
    const startMs = performance.now();
    const outcome = await customers.place(wish({ a: 1 }), { deadlineMs });
    return { outcome, tookMs: performance.now() - startMs };
  };
  const calls = await Promise.all(Array.from({ length: 5 }, place));
  tolerance.stop();
  for (const { outcome, tookMs } of calls) {
    const told = outcome.kind === 'ok' ? outcome.state : outcome.code;
    const wanted = isCustomers ? 'DEADLINE_EXCEEDED' : 'PENDING';
    const times = `after ${Math.round(tookMs)} ms, with ${Math.round(tolerance.ms)} ms of tolerance`;
    expect(told === wanted, `${direction}: answered ${told} instead of ${wanted} ${times}`);
    expect(tookMs <= deadlineMs + tolerance.ms, `${direction}: answered ${told} ${times}`);
    if (isCustomers) expect(tookMs >= deadlineMs - tolerance.ms, `${direction}: answered ${told} ${times}`);
  }
  for (const line of lines) {
    line.heal();
    line.severAll();
  }
  // Callers find their way back before the next direction is closed to them.
  await expectRecovery(stage, recoveryMs);
}

const recoveryMs = 5000;
const storm = 1000;

async function cancelStorm(stage: Stage): Promise<void> {
  const { rig, random, customers, wish, expect } = stage;
  const before = rig.orders.map(({ pid }) => pid);
  const call = async () => {
    const caller = new AbortController();
    setTimeout(() => caller.abort(), random.int(0, 100));
    await customers.place(wish({ a: 1 }), { signal: caller.signal });
  };
  await Promise.all(Array.from({ length: storm }, call));
  await expectRecovery(stage, 2000);
  const after = rig.orders.map(({ pid }) => pid);
  expect(before.join() === after.join(), 'orders did not survive it');
}
