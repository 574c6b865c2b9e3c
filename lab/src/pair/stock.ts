import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Stock } from '@acme/gen/inventory/v1/stock_pb';
import { createClient } from '@acme/rpc/client/create-client';
import type { PairAccess } from './pair.ts';

/** Sets the units on hand of these SKUs. Inventory applies an import id once. */
export async function importStock(
  pair: PairAccess,
  importId: string,
  units: ReadonlyMap<string, number>,
): Promise<void> {
  const token = await pair.token('replay', ['inventory:write']);
  const { inventoryTarget: target, credentials } = pair;
  using inventory = createClient(InventoryService, { target, credentials, token: () => token });
  const itemCount = BigInt(units.size);
  await inventory.importStock(
    units
      .entries()
      .map(([sku, count]) => ({ importId, itemCount, item: { sku, title: sku, onHand: BigInt(count) } })),
  );
}

/** Returns all stock, by SKU. */
export async function readStock(pair: PairAccess): Promise<Map<string, Stock>> {
  const token = await pair.token('replay', ['inventory:read']);
  const { inventoryTarget: target, credentials } = pair;
  using inventory = createClient(InventoryService, { target, credentials, token: () => token });
  const stock = new Map<string, Stock>();
  let pageToken = '';
  do {
    const page = await inventory.listStock({ pageSize: 200, pageToken });
    for (const each of page.stocks) stock.set(each.sku, each);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return stock;
}
