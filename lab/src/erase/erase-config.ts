import { readOptionalTarget, readTls, type TlsConfig } from '@acme/rpc/client';
import { readEnvironment } from '@acme/rpc/config';

/** Orders in production, and the token of an operator. */
export interface EraseConfig {
  readonly target: string;
  readonly tokenFile: string;
  readonly tls: TlsConfig | undefined;
}

/**
 * Reads `ORDERS_TARGET`, `AUTH_TOKEN_FILE` and the TLS settings of a service. Undefined without `ORDERS_TARGET`.
 *
 * @throws EnvironmentError that names every variable that is missing or not valid.
 */
export function readEraseConfig(variables: NodeJS.ProcessEnv): EraseConfig | undefined {
  if (!variables.ORDERS_TARGET?.trim()) return undefined;
  const environment = readEnvironment(variables);
  const tls = readTls(environment);
  const target = readOptionalTarget(environment, 'ORDERS_TARGET', { tls, meaning: 'gRPC target of orders.' });
  const tokenFile = environment.text('AUTH_TOKEN_FILE', {
    format: 'the file that holds a token with the scope orders:erase',
    meaning: 'File with the token for orders.',
  });
  environment.check();
  return { target: target ?? '', tokenFile, tls };
}
