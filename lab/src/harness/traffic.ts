import { setTimeout as sleep } from 'node:timers/promises';
import { type Customers, untilDefinite } from './customers.ts';
import { acknowledgedBy, type Outcome, type Purchase } from './history.ts';
import type { Random } from './seeded-random.ts';

/** Customers that place, repeat, read and cancel orders until `stop`. */
export interface Traffic {
  /** Waits for the calls in progress. Customers without a definite outcome give up after this time. */
  stop(options: { giveUpAfterMs: number }): Promise<void>;
}

export interface TrafficOptions {
  readonly customers: Customers;
  /** Prefix of the customer ids. */
  readonly shop: string;
  readonly random: Random;
  readonly skus: readonly string[];
  /** Number of concurrent customers. */
  readonly shoppers: number;
  /** Average pause between two orders of one customer. */
  readonly pauseMs: number;
}

export function startTraffic({ customers, shop, random, skus, shoppers, pauseMs }: TrafficOptions): Traffic {
  let isStopping = false;
  const retries = { giveUp: false };

  const visit = async (customerId: string) => {
    const customerRandom = random.fork(customerId);
    const untilAnswered = (call: () => Promise<Outcome>) => untilDefinite(customerRandom, retries, call);
    while (!isStopping) {
      const purchase = randomPurchase(customerId, customerRandom, skus);
      const placing = untilAnswered(() => customers.place(purchase));
      // The customer presses the button twice.
      if (customerRandom.chance(0.1)) await untilAnswered(() => customers.place(purchase));
      const placed = acknowledgedBy(await placing);
      if (!placed) continue;
      if (customerRandom.chance(0.15)) await untilAnswered(() => customers.cancel(purchase, placed.orderId));
      if (customerRandom.chance(0.1)) await untilAnswered(() => customers.get(purchase, placed.orderId));
      if (customerRandom.chance(0.1)) await untilAnswered(() => customers.place(purchase));
      // A defect of the caller: the same request id for another order.
      if (customerRandom.chance(0.05)) await untilAnswered(() => customers.place(withOtherUnits(purchase)));
      await sleep(customerRandom.int(0, 2 * pauseMs));
    }
  };
  const shopping = Promise.all(customerIdsOf(shop, shoppers).map(visit));
  // `stop` rejects with this error.
  shopping.catch(() => {});
  return {
    stop: async ({ giveUpAfterMs }) => {
      isStopping = true;
      const timer = setTimeout(() => {
        retries.giveUp = true;
      }, giveUpAfterMs);
      await shopping;
      clearTimeout(timer);
    },
  };
}

/** Returns the customer ids of a shop. */
export function customerIdsOf(shop: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${shop} customer-${index}`);
}

/** Returns an order of one to three items. */
function randomPurchase(customerId: string, random: Random, skus: readonly string[]): Purchase {
  const count = random.int(1, 3);
  const units: Record<string, number> = {};
  for (let line = 0; line < count; line++) units[random.pick(skus)] = random.int(1, 3);
  // A few requests violate the contract. They must leave no order behind.
  if (random.chance(0.02)) units[random.pick(skus)] = -1;
  return { customerId, requestId: random.uuid(), units };
}

function withOtherUnits({ units, ...purchase }: Purchase): Purchase {
  return {
    ...purchase,
    units: Object.fromEntries(Object.entries(units).map(([sku, count]) => [sku, count + 1])),
  };
}
