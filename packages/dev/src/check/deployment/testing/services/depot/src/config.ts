import { readDatabaseConfig } from '@acme/postgres/pool';
import type { Environment } from '@acme/rpc/config';
import { readServerConfig } from '@acme/rpc/server';

/** Reads the configuration of a service with a database that calls no other service. */
export function readConfig(environment: Environment) {
  const server = readServerConfig(environment, '0.0.0.0:59999');
  const config = { server, ...readDatabaseConfig(environment, server.production) };
  environment.check();
  return config;
}
