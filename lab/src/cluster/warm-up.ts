import { openCustomers, untilDefinite } from '../harness/customers.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { setStock } from '../harness/stock.ts';
import { untilSettled } from '../harness/until-settled.ts';
import type { Cluster } from './cluster.ts';

const waves = 10;
const ordersAWave = 25;

/** Places orders that no check looks at, because the first calls of a process take longer than any fault. */
export async function warmUp(cluster: Cluster): Promise<void> {
  const random = seededRandom('warm-up');
  const token = await cluster.token('shop', ['orders:write:any', 'orders:write']);
  using customers = openCustomers({ target: cluster.ordersTarget, token, onCall: () => {} });
  await setStock(cluster, { a: waves * ordersAWave });
  const place = async () => {
    const purchase = { customerId: 'warm-up', requestId: random.uuid(), units: { a: 1 } };
    await untilDefinite(random, { giveUp: false }, () => customers.place(purchase));
  };
  // The first call establishes the connections.
  await place();
  for (let wave = 1; wave < waves; wave++) await Promise.all(Array.from({ length: ordersAWave }, place));
  await untilSettled(cluster, performance.now());
}
