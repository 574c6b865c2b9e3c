import { setTimeout as sleep } from 'node:timers/promises';
import { type Customers, untilDefinite } from './customer.ts';
import { type Outcome, toldBy, type Wish } from './history.ts';
import type { Random } from './seeded-random.ts';

/** Customers that place, repeat, read and cancel orders until they are told to stop. */
export interface Traffic {
  /** Lets everybody finish what they have begun; those who get no definite answer give up after the time. */
  stop(options: { giveUpAfterMs: number }): Promise<void>;
}

export interface TrafficOptions {
  readonly customers: Customers;
  /** What the names of the customers begin with. */
  readonly shop: string;
  readonly random: Random;
  readonly skus: readonly string[];
  /** How many shop at a time. */
  readonly shoppers: number;
  /** Between two orders of one of them, on average. */
  readonly pauseMs: number;
}

export function startTraffic({ customers, shop, random, skus, shoppers, pauseMs }: TrafficOptions): Traffic {
  let isStopping = false;
  const patience = { giveUp: false };

  const visit = async (customerId: string) => {
    const chance = random.fork(customerId);
    const patiently = (call: () => Promise<Outcome>) => untilDefinite(chance, patience, call);
    while (!isStopping) {
      const wish = anyWish(customerId, chance, skus);
      const placing = patiently(() => customers.place(wish));
      // Somebody pressed the button twice.
      if (chance.chance(0.1)) await patiently(() => customers.place(wish));
      const placed = toldBy(await placing);
      if (!placed) continue;
      if (chance.chance(0.15)) await patiently(() => customers.cancel(wish, placed.orderId));
      if (chance.chance(0.1)) await patiently(() => customers.get(wish, placed.orderId));
      if (chance.chance(0.1)) await patiently(() => customers.place(wish));
      // A defect of the caller's: the same request id for something else.
      if (chance.chance(0.05)) await patiently(() => customers.place(otherThan(wish)));
      await sleep(chance.int(0, 2 * pauseMs));
    }
  };
  const shopping = Promise.all(shoppersOf(shop, shoppers).map(visit));
  // Whoever stops it hears of it.
  shopping.catch(() => {});
  return {
    stop: async ({ giveUpAfterMs }) => {
      isStopping = true;
      const timer = setTimeout(() => {
        patience.giveUp = true;
      }, giveUpAfterMs);
      await shopping;
      clearTimeout(timer);
    },
  };
}

/** The customers of a shop. */
export function shoppersOf(shop: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${shop} customer-${index}`);
}

/** An order of one to three articles. */
function anyWish(customerId: string, random: Random, skus: readonly string[]): Wish {
  const count = random.int(1, 3);
  const units: Record<string, number> = {};
  for (let line = 0; line < count; line++) units[random.pick(skus)] = random.int(1, 3);
  // Sometimes what no contract allows: it must leave no order behind.
  if (random.chance(0.02)) units[random.pick(skus)] = -1;
  return { customerId, requestId: random.uuid(), units };
}

function otherThan({ units, ...wish }: Wish): Wish {
  return {
    ...wish,
    units: Object.fromEntries(Object.entries(units).map(([sku, count]) => [sku, count + 1])),
  };
}
