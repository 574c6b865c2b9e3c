import { skuOf } from '@acme/inventory/development/catalogue';
import type { Wish } from '../harness/history.ts';
import type { Random } from '../harness/seeded-random.ts';

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => skuOf(from + index));

/** What many want and few get, and what there is enough of. */
const bargains = numbers(1, 10);
const ample = numbers(11, 200);

/** How many orders are for a bargain, too. */
const bargainShare = 0.2;
const mostUnits = 3;

/** Units by SKU for about so many orders: of the bargains half of what will be asked for. */
export function stockFor(orders: number): Map<string, number> {
  const scarce = Math.ceil((orders * bargainShare) / bargains.length / 2);
  return new Map([
    ...bargains.map((sku) => [sku, scarce] as const),
    ...ample.map((sku) => [sku, orders * mostUnits] as const),
  ]);
}

/** One to three articles. */
export function anyUnits(random: Random): Wish['units'] {
  const units: Record<string, number> = {};
  for (let line = random.int(1, 3); line > 0; line--) units[random.pick(ample)] = random.int(1, mostUnits);
  if (random.chance(bargainShare)) units[random.pick(bargains)] = 1;
  return units;
}
