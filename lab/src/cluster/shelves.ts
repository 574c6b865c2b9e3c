import { randomUUID } from 'node:crypto';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createClient } from '@acme/rpc/client/create-client';
import type { Rig } from './cluster.ts';

/** Puts units on the shelves, by SKU. */
export async function stockShelves(rig: Rig, units: Readonly<Record<string, number>>): Promise<void> {
  await importItems(rig, randomUUID(), units, 1);
}

/** Imports these units, once for an id. Throws RpcError. @param replica Of inventory, by its number. */
export async function importItems(
  { inventory, token }: Rig,
  importId: string,
  units: Readonly<Record<string, number>>,
  replica: number,
): Promise<void> {
  const shown = await token('warehouse', ['inventory:write']);
  const target = inventory[replica - 1]?.front.target ?? '';
  using client = createClient(InventoryService, { target, token: () => shown });
  const items = Object.entries(units);
  const itemCount = BigInt(items.length);
  await client.importStock(
    items.map(([sku, count]) => ({
      importId,
      itemCount,
      item: { sku, title: importId, onHand: BigInt(count) },
    })),
    { deadlineMs: 60_000 },
  );
}
