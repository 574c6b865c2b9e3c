/** Returns the lines of an order with these units by SKU. */
export function linesOf(units: Readonly<Record<string, number>>): { sku: string; quantity: number }[] {
  return Object.entries(units).map(([sku, quantity]) => ({ sku, quantity }));
}
