import { type DatabaseConfig, readDatabaseConfig } from '@acme/postgres/pool';
import type { Environment } from '@acme/rpc/config';
import { readServerConfig, type ServerConfig } from '@acme/rpc/server';

export interface Config extends DatabaseConfig {
  readonly server: ServerConfig;
  /** `EVENT_RETENTION_DAYS`: age at which events are deleted. */
  readonly eventRetentionMs: number;
  /** `RESERVATION_RETENTION_DAYS`: time for which a refused or released reservation is kept. */
  readonly reservationRetentionMs: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Reads the configuration. Throws EnvironmentError, which names every missing or invalid variable. */
export function readConfig(environment: Environment): Config {
  const server = readServerConfig(environment, '0.0.0.0:50052');
  const config = {
    server,
    ...readDatabaseConfig(environment, server.production),
    eventRetentionMs:
      dayMs *
      environment.integer('EVENT_RETENTION_DAYS', {
        min: 7,
        max: 3650,
        default: 7,
        meaning: 'Days for which events are kept, and for which a watch can be resumed.',
      }),
    reservationRetentionMs:
      dayMs *
      environment.integer('RESERVATION_RETENTION_DAYS', {
        min: 30,
        max: 3650,
        default: 30,
        meaning:
          'Days for which a refused or released reservation is kept. Until then a late reserve with its id is rejected.',
      }),
  };
  environment.check();
  return config;
}
