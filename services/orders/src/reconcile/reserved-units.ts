import type { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Client } from '@acme/rpc/client';
import type { ComparedReservation } from './disagreement.ts';
import { longestDeadline } from './longest-deadline.ts';

/** Compares the reserved units of each item with the live reservations that hold them. */
export interface ReservedUnits {
  /** Adds reservations. Each must be added once. */
  add(reservations: readonly ComparedReservation[]): void;
  /** Call it when all reservations are added. */
  compare(): Promise<UnitsComparison>;
}

interface UnitsComparison {
  /** A line for each item whose units differ. */
  readonly differences: readonly string[];
  /** Number of items that changed meanwhile, so that their units cannot be compared. */
  readonly changed: number;
}

interface StoredUnits {
  readonly reserved: bigint;
  readonly etag: string;
}

/** The maximum of ListStock. */
const maxStocks = 200;

/**
 * Reads the stock before the reservations are read. It is read again after them: the reservations of an item that has not
 * changed in between have not changed either. Holds about 150 bytes for each item in memory.
 */
export async function readReservedUnits(inventory: Client<typeof InventoryService>): Promise<ReservedUnits> {
  const before = await readStock(inventory);
  const held = new Map<string, bigint>();
  return {
    add: (reservations) => {
      for (const { state, lines } of reservations)
        for (const { sku, quantity } of state === 'RESERVED' ? lines : [])
          held.set(sku, (held.get(sku) ?? 0n) + BigInt(quantity));
    },
    compare: async () => {
      const after = await readStock(inventory);
      const skus = [...new Set([...before.keys(), ...after.keys(), ...held.keys()])];
      const unchanged = skus.filter((sku) => before.get(sku)?.etag === after.get(sku)?.etag);
      const differences = unchanged.flatMap((sku) => {
        const [reserved, live] = [after.get(sku)?.reserved ?? 0n, held.get(sku) ?? 0n];
        return reserved === live
          ? []
          : [`item ${sku} has ${reserved} units reserved, ${live} in live reservations`];
      });
      return { differences, changed: skus.length - unchanged.length };
    },
  };
}

async function readStock(inventory: Client<typeof InventoryService>): Promise<Map<string, StoredUnits>> {
  const stored = new Map<string, StoredUnits>();
  let pageToken = '';
  do {
    const { stocks, nextPageToken } = await inventory.listStock(
      { pageSize: maxStocks, pageToken },
      longestDeadline,
    );
    for (const { sku, reserved, etag } of stocks) stored.set(sku, { reserved, etag });
    pageToken = nextPageToken;
  } while (pageToken !== '');
  return stored;
}
