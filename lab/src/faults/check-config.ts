import { readDatabaseUrl } from '@acme/postgres/pool/database-config';
import { readEnvironment } from '@acme/rpc/config/environment';

/** The books of a system that runs, or has run, somewhere. */
export interface CheckConfig {
  /** `ORDERS_DATABASE_URL` */
  readonly ordersDatabaseUrl: string;
  /** `INVENTORY_DATABASE_URL` */
  readonly inventoryDatabaseUrl: string;
}

/** @throws EnvironmentError that names every variable that is missing or not valid. */
export function readCheckConfig(variables: NodeJS.ProcessEnv): CheckConfig {
  const environment = readEnvironment(variables);
  const config = {
    ordersDatabaseUrl: readDatabaseUrl(environment, 'ORDERS_DATABASE_URL', 'Database of orders.'),
    inventoryDatabaseUrl: readDatabaseUrl(environment, 'INVENTORY_DATABASE_URL', 'Database of inventory.'),
  };
  environment.check();
  return config;
}
