import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Kills and stops of processes at random moments. */
export const processes: readonly Scenario[] = [
  {
    name: 'sigkill',
    fault: 'orders processes, inventory processes or both are killed at random, 0.1 to 1.5 s apart',
    rounds: { short: 3, long: 300 },
    round: killAny,
  },
  {
    name: 'sigterm',
    fault: 'one of two replicas gets SIGTERM under load: no call fails, and it exits with 0',
    rounds: { short: 4, long: 20 },
    cluster: { inventoryReplicas: 2 },
    round: stopOneOfTwo,
  },
];

async function killAny({ cluster, random }: ScenarioContext): Promise<void> {
  await sleep(random.int(100, 1500));
  const { orders, inventory } = cluster;
  const one = random.pick(orders);
  const victims = random.pick([
    [one],
    cluster.orders,
    inventory,
    [one, ...inventory],
    [...cluster.orders, ...inventory],
  ]);
  await Promise.all(
    victims.map(async (victim) => {
      await victim.kill();
      await victim.start();
    }),
  );
}

async function stopOneOfTwo({ cluster, round, random, history, expect }: ScenarioContext): Promise<void> {
  const victim = random.pick(round % 2 === 0 ? cluster.orders : cluster.inventory);
  const since = history.length;
  await sleep(random.int(100, 500));
  const startMs = performance.now();
  const ended = await victim.terminate();
  const tookMs = Math.round(performance.now() - startMs);
  await sleep(300);
  expect(ended === 0, `${victim.name} exited with ${ended}`);
  expect(tookMs <= 10_000, `${victim.name} took ${tookMs} ms to stop`);
  const failed = history.slice(since).filter(({ outcome }) => outcome.kind === 'unknown');
  const [first] = failed;
  expect(
    failed.length === 0,
    `${failed.length} calls failed as ${victim.name} stopped: ${JSON.stringify(first)}`,
  );
  await victim.start();
  // Callers reconnect to it before the other replica is stopped.
  await sleep(1000);
}
