import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rig } from './rig.ts';

/** How often replicas of orders have lost their patience with inventory, a number each, as their logs say. */
export async function circuitsOpened({ folder, orders }: Rig): Promise<number[]> {
  const logs = await Promise.all(
    orders.map(({ name }) => readFile(join(folder, 'logs', `${name}.log`), 'utf8')),
  );
  return logs.map((log) => log.split('circuit opened').length - 1);
}
