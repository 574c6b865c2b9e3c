import { setTimeout as sleep } from 'node:timers/promises';
import type { Row, Stage } from './scenario.ts';

/** What happens to those who watch a change feed. */
export const watching: readonly Row[] = [
  {
    name: 'watchers',
    fault: 'watchers end, are cut off, and lose their replica: they see every event once, in order',
    rounds: { short: 4, long: 20 },
    watched: true,
    round: interrupt,
  },
];

/** The watchers themselves end and come back all the while. */
async function interrupt({ rig, random }: Stage): Promise<void> {
  await sleep(random.int(200, 800));
  const victim = random.pick([...rig.orders, ...rig.inventory]);
  const blow = random.pick(['cut', 'kill', 'drain'] as const);
  if (blow === 'cut') return victim.front.severAll();
  if (blow === 'kill') await victim.kill();
  else await victim.terminate();
  await victim.start();
}
