import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rig } from '../../cluster/cluster.ts';

/** How often replicas of orders have lost their patience with inventory, as their logs say. */
export async function circuitsOpened(rig: Rig): Promise<number> {
  return (await logsOf(rig)).join('').split('circuit opened').length - 1;
}

/** Whether every replica of orders knows that inventory is away. */
export async function areCircuitsOpen(rig: Rig): Promise<boolean> {
  const logs = await logsOf(rig);
  return logs.every((log) => {
    const closed = Math.max(log.lastIndexOf('circuit closed'), log.lastIndexOf('"msg":"serving"'));
    return log.lastIndexOf('circuit opened') > closed;
  });
}

async function logsOf({ folder, orders }: Rig): Promise<string[]> {
  return Promise.all(orders.map(({ name }) => readFile(join(folder, 'logs', `${name}.log`), 'utf8')));
}
