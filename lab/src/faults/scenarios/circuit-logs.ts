import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../../cluster/cluster.ts';

/** Returns how often the circuit breakers of all orders replicas have opened, from their logs. */
export async function countOpenedCircuits(cluster: Cluster): Promise<number> {
  return (await logsOf(cluster)).join('').split('circuit opened').length - 1;
}

/** Returns whether the circuit breaker of every orders replica is open. */
export async function areAllCircuitsOpen(cluster: Cluster): Promise<boolean> {
  const logs = await logsOf(cluster);
  return logs.every((log) => {
    const closed = Math.max(log.lastIndexOf('circuit closed'), log.lastIndexOf('"msg":"serving"'));
    return log.lastIndexOf('circuit opened') > closed;
  });
}

async function logsOf({ folder, orders }: Cluster): Promise<string[]> {
  return Promise.all(orders.map(({ name }) => readFile(join(folder, 'logs', `${name}.log`), 'utf8')));
}
