import { migrate } from '@acme/postgres/migrations/migrate';
import { openPool, type Pool } from '@acme/postgres/pool/pool';
import { createTestDatabase } from '@acme/postgres/testing/test-database';

/** Both services' databases, without the services. */
export interface TwoDatabases extends AsyncDisposable {
  readonly ordersDatabase: Pool;
  readonly inventoryDatabase: Pool;
  /** Empties them, and puts these units on the shelf, by SKU. */
  clear(units: Readonly<Record<string, number>>): Promise<void>;
}

export async function openTwoDatabases(): Promise<TwoDatabases> {
  await using opened = new AsyncDisposableStack();
  const open = async (service: string) => {
    const { url } = opened.use(await createTestDatabase());
    await migrate(url, new URL('../migrations/', import.meta.resolve(`@acme/${service}/app`)));
    // Nothing crashes here, and waiting for the disk would be most of the time.
    const quick = `${url}?options=-c%20synchronous_commit%3Doff`;
    return opened.adopt(
      openPool({ url: quick, max: 2, applicationName: 'test', onError: () => {} }),
      (pool) => pool.end(),
    );
  };
  const inventoryDatabase = await open('inventory');
  const ordersDatabase = await open('orders');
  const kept = opened.move();
  return {
    ordersDatabase,
    inventoryDatabase,
    clear: async (units) => {
      await ordersDatabase.query('DELETE FROM order_events; DELETE FROM orders');
      await inventoryDatabase.query('DELETE FROM reservations; DELETE FROM stock');
      await inventoryDatabase.query(
        `INSERT INTO stock (sku, title, on_hand, update_time) SELECT key, key, value::bigint, now() FROM json_each_text($1)`,
        [units],
      );
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
