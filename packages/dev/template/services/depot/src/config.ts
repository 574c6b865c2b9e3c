import { type DatabaseConfig, readDatabaseConfig } from '@acme/postgres/pool';
import type { Environment } from '@acme/rpc/config';
import { readServerConfig, type ServerConfig } from '@acme/rpc/server';
import { readSupplierConfig, type SupplierConfig } from './supplier.ts';

export interface Config extends DatabaseConfig {
  readonly server: ServerConfig;
  // <calls>
  readonly supplier: SupplierConfig;
  // </calls>
}

/** Reads the configuration. Throws EnvironmentError, which names every missing or invalid variable. */
export function readConfig(environment: Environment): Config {
  const server = readServerConfig(environment, '0.0.0.0:59999');
  const config = {
    server,
    ...readDatabaseConfig(environment, server.production),
    // <calls>
    supplier: readSupplierConfig(environment, server),
    // </calls>
  };
  environment.check();
  return config;
}
