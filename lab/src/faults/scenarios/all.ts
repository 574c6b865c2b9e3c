import { clock } from './clock.ts';
import { contention } from './contention.ts';
import { crashPoints } from './crash-points.ts';
import { databases } from './databases.ts';
import { failover } from './failover.ts';
import { inventoryAway } from './inventory-away.ts';
import { network } from './network.ts';
import { overtaking } from './overtaking.ts';
import { processes } from './processes.ts';
import type { Scenario } from './scenario.ts';
import { unfinished } from './unfinished.ts';
import { watching } from './watching.ts';

/** All scenarios, in the order of the table in docs/reliability.md. */
export const allScenarios: readonly Scenario[] = [
  ...crashPoints,
  ...overtaking,
  ...unfinished,
  ...processes,
  ...inventoryAway,
  ...watching,
  ...network,
  ...databases,
  ...failover,
  ...clock,
  ...contention,
];
