import { readDatabaseUrl } from '@acme/postgres/pool';
import { readEnvironment } from '@acme/rpc/config';
import type { DatabaseUrls } from '../harness/check-databases.ts';

/**
 * Reads `ORDERS_DATABASE_URL` and `INVENTORY_DATABASE_URL`.
 *
 * @throws EnvironmentError that names every variable that is missing or not valid.
 */
export function readCheckConfig(variables: NodeJS.ProcessEnv): DatabaseUrls {
  const environment = readEnvironment(variables);
  const config = {
    ordersDatabaseUrl: readDatabaseUrl(environment, 'ORDERS_DATABASE_URL', 'Database of orders.'),
    inventoryDatabaseUrl: readDatabaseUrl(environment, 'INVENTORY_DATABASE_URL', 'Database of inventory.'),
  };
  environment.check();
  return config;
}
