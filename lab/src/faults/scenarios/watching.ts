import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Faults of change-feed watchers. */
export const watching: readonly Scenario[] = [
  {
    name: 'watchers',
    fault: 'watchers end, are disconnected and lose their replica: each receives every event once, in order',
    rounds: { short: 4, long: 20 },
    watched: true,
    round: interrupt,
  },
];

/** Interrupts a replica. The watchers meanwhile end and resume by themselves. */
async function interrupt({ cluster, random }: ScenarioContext): Promise<void> {
  await sleep(random.int(200, 800));
  const victim = random.pick([...cluster.orders, ...cluster.inventory]);
  const action = random.pick(['cut', 'kill', 'drain'] as const);
  if (action === 'cut') return victim.front.severAll();
  if (action === 'kill') await victim.kill();
  else await victim.terminate();
  await victim.start();
}
