import { emptyBooks, type Rig } from '../cluster/cluster.ts';
import type { Replica } from '../cluster/replica.ts';
import { stockShelves } from '../cluster/shelves.ts';
import { settledErrors, stockErrors, unsettledOrders } from '../harness/invariants.ts';
import { untilSettled } from '../harness/until-settled.ts';
import { bystanderSku } from './bystander/calls.ts';

/** Broken invariants that are shown. */
const maxShown = 5;

/** Starts the replica anew on empty books: memory, caches and quotas of the last attack are gone. */
export async function startAnew(rig: Rig, replica: Replica): Promise<void> {
  await replica.kill();
  await emptyBooks(rig);
  await heal(rig);
  await stockShelves(rig, { [bystanderSku]: 1_000_000 });
}

/** Ends the faults that an attack needed, and starts what it has ended. Returns the invariants that do not hold then. */
export async function brokenInvariants(rig: Rig): Promise<string[]> {
  await heal(rig);
  await untilSettled(rig, performance.now());
  const unsettled = await unsettledOrders(rig);
  return [...unsettled, ...(await stockErrors(rig)), ...(await settledErrors(rig))].slice(0, maxShown);
}

/** The pair under attack is one replica of each service. */
async function heal({ orders, inventory }: Rig): Promise<void> {
  for (const replica of [...inventory.slice(0, 1), ...orders.slice(0, 1)]) {
    replica.databaseLine.heal();
    if (replica.pid === undefined) await replica.start();
  }
}
