import { migrate } from '@acme/postgres/migrations';
import { openPool, type Pool } from '@acme/postgres/pool';
import { createTestDatabase } from '@acme/postgres/testing';

/** The databases of both services, without the services. */
export interface ServiceDatabases extends AsyncDisposable {
  readonly ordersDatabase: Pool;
  readonly inventoryDatabase: Pool;
  /** Deletes all rows and inserts stock with these units on hand. */
  reset(units: Readonly<Record<string, number>>): Promise<void>;
}

export async function openServiceDatabases(): Promise<ServiceDatabases> {
  await using opened = new AsyncDisposableStack();
  const open = async (service: string) => {
    const { url } = opened.use(await createTestDatabase());
    await migrate(url, new URL('../migrations/', import.meta.resolve(`@acme/${service}/app`)));
    // The model crashes no database, and waiting for the disk would take most of the time.
    const fastUrl = `${url}?options=-c%20synchronous_commit%3Doff`;
    return opened.adopt(
      openPool({ url: fastUrl, max: 2, applicationName: 'test', onError: () => {} }),
      (pool) => pool.end(),
    );
  };
  const inventoryDatabase = await open('inventory');
  const ordersDatabase = await open('orders');
  const kept = opened.move();
  return {
    ordersDatabase,
    inventoryDatabase,
    reset: async (units) => {
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
