import { openCustomers, untilDefinite } from '../harness/customer.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { untilSettled } from '../harness/until-settled.ts';
import type { Rig } from './cluster.ts';
import { stockShelves } from './shelves.ts';

const waves = 10;
const ordersAWave = 25;

/** Places orders that nobody looks at: what a process does for the first time takes it long, longer than any fault. */
export async function warmUp(rig: Rig): Promise<void> {
  const random = seededRandom('warm-up');
  const token = await rig.token('shop', ['orders:write:any', 'orders:write']);
  using customers = openCustomers({ target: rig.ordersTarget, token, onCall: () => {} });
  await stockShelves(rig, { a: waves * ordersAWave });
  const place = async () => {
    const wish = { customerId: 'early', requestId: random.uuid(), units: { a: 1 } };
    await untilDefinite(random, { giveUp: false }, () => customers.place(wish));
  };
  // The first one alone: it makes the connections.
  await place();
  for (let wave = 1; wave < waves; wave++) await Promise.all(Array.from({ length: ordersAWave }, place));
  await untilSettled(rig, performance.now());
}
