import { randomUUID } from 'node:crypto';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createClient } from '@acme/rpc/client/create-client';
import type { Cluster } from './cluster.ts';

/** Sets the units on hand of these SKUs. */
export async function setStock(cluster: Cluster, units: Readonly<Record<string, number>>): Promise<void> {
  await importStock(cluster, randomUUID(), units);
}

/**
 * Imports these units under an import id, which inventory applies once.
 *
 * @throws RpcError if the import fails.
 */
export async function importStock(
  { inventory, token }: Cluster,
  importId: string,
  units: Readonly<Record<string, number>>,
): Promise<void> {
  const warehouseToken = await token('warehouse', ['inventory:write']);
  const target = inventory[0]?.front.target ?? '';
  using client = createClient(InventoryService, { target, token: () => warehouseToken });
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
