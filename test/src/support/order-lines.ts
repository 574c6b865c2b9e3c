/** The lines of an order, from its units by SKU. */
export function linesOf(units: Readonly<Record<string, number>>): { sku: string; quantity: number }[] {
  return Object.entries(units).map(([sku, quantity]) => ({ sku, quantity }));
}
