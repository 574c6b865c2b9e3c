import type { Stock } from '@acme/gen/inventory/v1/stock_pb';
import type { PlacedInvoice } from './place-all.ts';
import { type RetailOrder, unitsBySku } from './retail-file.ts';

/**
 * What is wrong with the books after a replay, a line each: every invoice is accounted for, of every SKU just the
 * units of the confirmed orders are reserved, and nothing is negative or oversold.
 */
export function checkBooks(
  orders: readonly RetailOrder[],
  placed: readonly PlacedInvoice[],
  stock: ReadonlyMap<string, Stock>,
): string[] {
  const accounted = new Set(placed.map(({ order }) => order));
  const missing = orders
    .filter((order) => !accounted.has(order))
    .map(({ invoice }) => `invoice ${invoice} has no outcome`);
  const confirmed = unitsBySku(
    placed.filter(({ outcome }) => outcome === 'confirmed').map(({ order }) => order),
  );
  const wrong = [...unitsBySku(orders).keys()].flatMap((sku) => {
    const found = stock.get(sku);
    if (!found) return [`inventory does not know ${sku}`];
    const wanted = BigInt(confirmed.get(sku) ?? 0);
    return [
      ...(found.reserved === wanted
        ? []
        : [`${sku}: ${found.reserved} reserved, ${wanted} in confirmed orders`]),
      ...(found.reserved < 0n || found.available < 0n || found.onHand !== found.reserved + found.available
        ? [`${sku}: ${found.onHand} on hand, ${found.reserved} reserved, ${found.available} available`]
        : []),
    ];
  });
  return [...missing, ...wrong];
}
