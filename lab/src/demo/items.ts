import { skuOf } from '@acme/inventory/development/catalogue';
import type { Purchase } from '../harness/history.ts';
import type { Random } from '../harness/seeded-random.ts';

const skus = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => skuOf(from + index));

/** Items in short supply, and items with enough stock. */
const bargains = skus(1, 10);
const ample = skus(11, 200);

/** Share of the orders that include a bargain. */
const bargainShare = 0.2;
const maxUnits = 3;

/** Returns units by SKU for this number of orders. The stock of bargains is half of the expected demand. */
export function stockFor(orders: number): Record<string, number> {
  const scarce = Math.ceil((orders * bargainShare) / bargains.length / 2);
  return Object.fromEntries([
    ...bargains.map((sku) => [sku, scarce] as const),
    ...ample.map((sku) => [sku, orders * maxUnits] as const),
  ]);
}

/** Returns the units of an order of one to three items, and sometimes a bargain. */
export function randomUnits(random: Random): Purchase['units'] {
  const units: Record<string, number> = {};
  for (let line = random.int(1, 3); line > 0; line--) units[random.pick(ample)] = random.int(1, maxUnits);
  if (random.chance(bargainShare)) units[random.pick(bargains)] = 1;
  return units;
}
