import { migrate } from '@acme/postgres/migrations';
import type { Pool } from '@acme/postgres/pool';
import { createTestDatabase, openTestPool } from '@acme/postgres/testing';

/** Empty database with the tables of inventory. */
export interface InventoryDatabase extends AsyncDisposable {
  readonly pool: Pool;
  /** Inserts stock with these units on hand, by SKU. */
  setStock(units: Readonly<Record<string, number>>): Promise<void>;
  /** Returns the reserved units by SKU. */
  reserved(): Promise<Record<string, number>>;
}

export async function openInventoryDatabase(): Promise<InventoryDatabase> {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  await migrate(url, new URL('../../migrations/', import.meta.url));
  const pool = opened.use(openTestPool({ url, max: 10 }));
  const kept = opened.move();
  return {
    pool,
    setStock: async (units) => {
      await pool.query(
        `INSERT INTO stock (sku, title, on_hand, update_time) SELECT key, key, value::bigint, now() FROM json_each_text($1)`,
        [units],
      );
    },
    reserved: async () => {
      const { rows } = await pool.query<{ sku: string; reserved: bigint }>('SELECT sku, reserved FROM stock');
      return Object.fromEntries(rows.map(({ sku, reserved }) => [sku, Number(reserved)]));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
