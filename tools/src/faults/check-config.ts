import { readEnvironment } from '@acme/rpc/environment';

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
  const schemes = ['postgres', 'postgresql'];
  const config = {
    ordersDatabaseUrl: environment.url('ORDERS_DATABASE_URL', schemes),
    inventoryDatabaseUrl: environment.url('INVENTORY_DATABASE_URL', schemes),
  };
  environment.check();
  return config;
}
