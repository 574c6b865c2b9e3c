import type { Stock } from '@acme/gen/inventory/v1/stock_pb';
import type { PlacedInvoice } from './place-all.ts';
import { type RetailOrder, unitsBySku } from './retail-file.ts';

/**
 * Returns the violations after a replay, a line each: every invoice has an outcome, the reserved units of a SKU are those
 * of the confirmed orders, and no quantity is negative or oversold.
 */
export function checkTotals(
  orders: readonly RetailOrder[],
  placed: readonly PlacedInvoice[],
  stock: ReadonlyMap<string, Stock>,
): string[] {
  const withOutcome = new Set(placed.map(({ order }) => order));
  const missing = orders
    .filter((order) => !withOutcome.has(order))
    .map(({ invoice }) => `invoice ${invoice} has no outcome`);
  const confirmed = unitsBySku(
    placed.filter(({ outcome }) => outcome === 'confirmed').map(({ order }) => order),
  );
  const stockErrors = [...unitsBySku(orders).keys()].flatMap((sku) => {
    const found = stock.get(sku);
    if (!found) return [`inventory does not know ${sku}`];
    const expected = BigInt(confirmed.get(sku) ?? 0);
    return [
      ...(found.reserved === expected
        ? []
        : [`${sku}: ${found.reserved} reserved, ${expected} in confirmed orders`]),
      ...(found.reserved < 0n || found.available < 0n || found.onHand !== found.reserved + found.available
        ? [`${sku}: ${found.onHand} on hand, ${found.reserved} reserved, ${found.available} available`]
        : []),
    ];
  });
  return [...missing, ...stockErrors];
}
