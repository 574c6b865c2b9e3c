import { type DatabaseConfig, readDatabaseConfig } from '@acme/postgres/pool';
import { readTarget } from '@acme/rpc/client';
import type { Environment } from '@acme/rpc/config';
import { readServerConfig, type ServerConfig } from '@acme/rpc/server';

const dayMs = 24 * 60 * 60 * 1000;

export interface Config extends DatabaseConfig {
  readonly server: ServerConfig;
  /** `EVENT_RETENTION_DAYS`: age at which events are deleted. */
  readonly eventRetentionMs: number;
  /** `REQUEST_ID_RETENTION_DAYS`: time after its placing for which the request of an order is remembered. */
  readonly requestIdRetentionMs: number;
  /** `INVENTORY_TARGET`: inventory's gRPC target, for example `dns:///inventory:50052`. */
  readonly inventoryTarget: string;
  /**
   * `AUTH_TOKEN_FILE`: file with the token for calls to inventory, whose only audience is inventory. It is read again
   * when the token is renewed. Optional with `TLS_MODE=mtls`, where the client certificate identifies orders.
   */
  readonly tokenFile: string | undefined;
}

const tokenFile = {
  format: 'the file that holds the token for inventory',
  meaning:
    'File with the token for calls to inventory, whose only audience is inventory. It is read again when it is renewed. ' +
    'Optional with `TLS_MODE=mtls`, where the client certificate identifies orders.',
};

/** Reads the configuration. Throws EnvironmentError, which names every missing or invalid variable. */
export function readConfig(environment: Environment): Config {
  const server = readServerConfig(environment, '0.0.0.0:50051');
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
    requestIdRetentionMs:
      dayMs *
      environment.integer('REQUEST_ID_RETENTION_DAYS', {
        min: 30,
        max: 3650,
        default: 30,
        meaning:
          'Days for which a `request_id` is remembered. After them a repeated request places another order.',
      }),
    inventoryTarget: readTarget(environment, 'INVENTORY_TARGET', {
      tls: server.tls,
      meaning: 'gRPC target of inventory, for example `dns:///inventory:50052`.',
    }),
    tokenFile:
      server.tls?.mode === 'mtls'
        ? environment.optionalText('AUTH_TOKEN_FILE', tokenFile)
        : environment.text('AUTH_TOKEN_FILE', tokenFile),
  };
  environment.check();
  return config;
}
