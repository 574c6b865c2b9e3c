import { readTarget, readTls, type TlsConfig } from '@acme/rpc/client';
import type { Environment } from '@acme/rpc/config';

/** Orders, and the token of an operator. */
export interface EraseConfig {
  readonly target: string;
  readonly tokenFile: string;
  readonly tls: TlsConfig | undefined;
}

/**
 * Reads `ORDERS_TARGET`, `AUTH_TOKEN_FILE` and the TLS settings of a service.
 *
 * @throws EnvironmentError that names every variable that is missing or not valid.
 */
export function readEraseConfig(environment: Environment): EraseConfig {
  const tls = readTls(environment);
  const config = {
    tls,
    target: readTarget(environment, 'ORDERS_TARGET', {
      tls,
      meaning: 'gRPC target of orders, for example `dns:///orders:50051`.',
    }),
    tokenFile: environment.text('AUTH_TOKEN_FILE', {
      format: 'the file that holds a token with the scope orders:erase',
      meaning: 'File with the token for orders.',
    }),
  };
  environment.check();
  return config;
}
