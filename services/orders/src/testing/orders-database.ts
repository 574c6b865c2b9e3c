import { migrate } from '@acme/postgres/migrations';
import type { Pool } from '@acme/postgres/pool';
import { createTestDatabase, openTestPool } from '@acme/postgres/testing';
import { type CancellationStore, createCancellationStore } from '../order/cancellation-store.ts';
import { createOrderStore, type OrderStore } from '../order/order-store.ts';
import {
  createPlacementStore,
  type PlacementStore,
  type PlacementStoreOptions,
} from '../order/placement-store.ts';

/** Empty database with the tables of orders. */
export interface OrdersDatabase extends AsyncDisposable {
  readonly pool: Pool;
  /** Makes every unsettled order due. */
  expediteAll(): Promise<void>;
}

/** All stores of orders on one pool. */
export type OrderStores = PlacementStore & OrderStore & CancellationStore;

export function createOrderStores(pool: Pool, options: PlacementStoreOptions): OrderStores {
  return {
    ...createPlacementStore(pool, options),
    ...createOrderStore(pool),
    ...createCancellationStore(pool, options.now),
  };
}

export async function openOrdersDatabase(): Promise<OrdersDatabase> {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  await migrate(url, new URL('../../migrations/', import.meta.url));
  const pool = opened.use(openTestPool({ url, max: 10 }));
  const kept = opened.move();
  return {
    pool,
    expediteAll: async () => {
      await pool.query('UPDATE orders SET settle_after = now() WHERE settle_after IS NOT NULL');
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
