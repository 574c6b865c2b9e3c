import { randomUUID } from 'node:crypto';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Stock } from '@acme/gen/inventory/v1/stock_pb';
import { type ChannelCredentials, type Client, createClient } from '@acme/rpc/client';

/** The target of inventory, and tokens for it. */
export interface InventoryAccess {
  readonly inventoryTarget: string;
  /** Plain text when absent. */
  readonly credentials?: ChannelCredentials | undefined;
  token(subject: string, scopes: readonly string[]): Promise<string>;
}

/** Sets the units on hand of these SKUs. */
export async function setStock(
  access: InventoryAccess,
  units: Readonly<Record<string, number>>,
): Promise<void> {
  await importStock(access, randomUUID(), new Map(Object.entries(units)));
}

/**
 * Sets the units on hand of these SKUs, and their titles to the import id. Inventory applies an import id once.
 *
 * @throws RpcError if the import fails.
 */
export async function importStock(
  access: InventoryAccess,
  importId: string,
  units: ReadonlyMap<string, number>,
): Promise<void> {
  using inventory = await connect(access, 'inventory:write');
  const itemCount = BigInt(units.size);
  await inventory.importStock(
    units.entries().map(([sku, count]) => ({
      importId,
      itemCount,
      item: { sku, title: importId, onHand: BigInt(count) },
    })),
  );
}

/** Returns all stock, by SKU. */
export async function readStock(access: InventoryAccess): Promise<Map<string, Stock>> {
  using inventory = await connect(access, 'inventory:read');
  const stock = new Map<string, Stock>();
  let pageToken = '';
  do {
    const page = await inventory.listStock({ pageSize: 200, pageToken });
    for (const each of page.stocks) stock.set(each.sku, each);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return stock;
}

async function connect(
  { inventoryTarget: target, credentials, token }: InventoryAccess,
  scope: string,
): Promise<Client<typeof InventoryService>> {
  const signed = await token('warehouse', [scope]);
  return createClient(InventoryService, { target, credentials, token: () => signed });
}
