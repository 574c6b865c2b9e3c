import { clock } from './clock.ts';
import { contention } from './contention.ts';
import { crashPoints } from './crash-points.ts';
import { databases } from './databases.ts';
import { inventoryAway } from './inventory-away.ts';
import { network } from './network.ts';
import { overtaking } from './overtaking.ts';
import { processes } from './processes.ts';
import type { Row } from './scenario.ts';
import { unfinished } from './unfinished.ts';
import { watching } from './watching.ts';

/** Every row of the table, in its order. */
export const allRows: readonly Row[] = [
  ...crashPoints,
  ...overtaking,
  ...unfinished,
  ...processes,
  ...inventoryAway,
  ...watching,
  ...network,
  ...databases,
  ...clock,
  ...contention,
];
