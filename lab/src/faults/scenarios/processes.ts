import { setTimeout as sleep } from 'node:timers/promises';
import type { Row, Stage } from './scenario.ts';

/** What happens to processes, at any moment. */
export const processes: readonly Row[] = [
  {
    name: 'sigkill',
    fault: 'orders, inventory or both are killed at random, 0.1 to 1.5 s apart',
    rounds: { short: 3, long: 300 },
    round: killAny,
  },
  {
    name: 'sigterm',
    fault: 'one of two replicas is told to stop under load: no call fails, it exits with 0',
    rounds: { short: 4, long: 20 },
    rig: { inventoryReplicas: 2 },
    round: stopOneOfTwo,
  },
];

async function killAny({ rig, random }: Stage): Promise<void> {
  await sleep(random.int(100, 1500));
  const { orders, inventory } = rig;
  const one = random.pick(orders);
  const victims = random.pick([
    [one],
    rig.orders,
    inventory,
    [one, ...inventory],
    [...rig.orders, ...inventory],
  ]);
  await Promise.all(
    victims.map(async (victim) => {
      await victim.kill();
      await victim.start();
    }),
  );
}

async function stopOneOfTwo({ rig, round, random, history, expect }: Stage): Promise<void> {
  const victim = random.pick(round % 2 === 0 ? rig.orders : rig.inventory);
  const since = history.length;
  await sleep(random.int(100, 500));
  const startMs = performance.now();
  const ended = await victim.terminate();
  const tookMs = Math.round(performance.now() - startMs);
  await sleep(300);
  expect(ended === 0, `${victim.name} ended with ${ended}`);
  expect(tookMs <= 10_000, `${victim.name} took ${tookMs} ms to stop`);
  const failed = history.slice(since).filter(({ outcome }) => outcome.kind === 'unknown');
  const [first] = failed;
  expect(
    failed.length === 0,
    `${failed.length} calls failed as ${victim.name} stopped: ${JSON.stringify(first)}`,
  );
  await victim.start();
  // Its callers find it again before the other one is stopped.
  await sleep(1000);
}
