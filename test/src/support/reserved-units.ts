import type { TestPair } from './start-test-pair.ts';

/** Returns the reserved units by SKU, from the table. */
export async function reservedUnits(
  pair: TestPair,
  skus: readonly string[],
): Promise<Record<string, number>> {
  const { rows } = await pair.inventoryDatabase.query<{ sku: string; reserved: bigint }>(
    'SELECT sku, reserved FROM stock WHERE sku = ANY ($1)',
    [skus],
  );
  return Object.fromEntries(rows.map(({ sku, reserved }) => [sku, Number(reserved)]));
}
