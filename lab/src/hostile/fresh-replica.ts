import { type Cluster, emptyDatabases } from '../cluster/cluster.ts';
import type { Replica } from '../cluster/replica.ts';
import { settledErrors, stockErrors, unsettledOrders } from '../harness/invariants.ts';
import { setStock } from '../harness/stock.ts';
import { untilSettled } from '../harness/until-settled.ts';
import { bystanderSku } from './bystander/calls.ts';

/** Number of violations that are shown. */
const maxShown = 5;

/** Restarts the replica on empty databases, without the memory, caches and quotas of the last attack. */
export async function startFreshReplica(cluster: Cluster, replica: Replica): Promise<void> {
  await replica.kill();
  await emptyDatabases(cluster);
  await heal(cluster);
  await setStock(cluster, { [bystanderSku]: 1_000_000 });
}

/** Ends the faults of an attack and restarts killed replicas. Returns the violated invariants, a line each. */
export async function brokenInvariants(cluster: Cluster): Promise<string[]> {
  await heal(cluster);
  await untilSettled(cluster, performance.now());
  const unsettled = await unsettledOrders(cluster);
  return [...unsettled, ...(await stockErrors(cluster)), ...(await settledErrors(cluster))].slice(
    0,
    maxShown,
  );
}

/** Heals one replica of each service: only these are under attack. */
async function heal({ orders, inventory }: Cluster): Promise<void> {
  for (const replica of [...inventory.slice(0, 1), ...orders.slice(0, 1)]) {
    replica.databaseLink.heal();
    if (replica.pid === undefined) await replica.start();
  }
}
