// <calls>
import { SupplierService } from '@acme/gen/supplier/v1/supplier_service_pb';
import {
  type CircuitBreaker,
  type Client,
  channelCredentials,
  createCircuitBreaker,
  createClient,
  readTarget,
  tokenFile,
} from '@acme/rpc/client';
import type { Environment } from '@acme/rpc/config';
import type { Logger } from '@acme/rpc/logging';
import type { ServerConfig } from '@acme/rpc/server';

export interface SupplierConfig {
  /** `SUPPLIER_TARGET`: gRPC target of supplier, for example `dns:///supplier:58888`. */
  readonly target: string;
  /** `AUTH_TOKEN_FILE`: file with the token for supplier. Optional with `TLS_MODE=mtls`. */
  readonly tokenFile: string | undefined;
}

const tokenFileSetting = {
  format: 'the file that holds the token for supplier',
  meaning:
    'File with the token for calls to supplier, whose only audience is supplier. It is read again when it is renewed. ' +
    'Optional with `TLS_MODE=mtls`, where the client certificate identifies depot.',
};

/** Reads the variables with which supplier is called. */
export function readSupplierConfig(environment: Environment, { tls }: ServerConfig): SupplierConfig {
  return {
    target: readTarget(environment, 'SUPPLIER_TARGET', {
      tls,
      meaning: 'gRPC target of supplier, for example `dns:///supplier:58888`.',
    }),
    tokenFile:
      tls?.mode === 'mtls'
        ? environment.optionalText('AUTH_TOKEN_FILE', tokenFileSetting)
        : environment.text('AUTH_TOKEN_FILE', tokenFileSetting),
  };
}

/** Client of supplier. A call has the deadline and the retries of the contract. */
export interface Supplier extends Disposable {
  readonly client: Client<typeof SupplierService>;
  /** Wraps each call: while supplier is down, calls fail at once instead of at their deadlines. */
  readonly circuitBreaker: CircuitBreaker;
}

/** Opens the client. It connects with the first call, so supplier may start later. */
export async function openSupplier(
  config: SupplierConfig,
  { server, log }: { server: ServerConfig; log: Logger },
): Promise<Supplier> {
  const client = createClient(SupplierService, {
    target: config.target,
    token: config.tokenFile === undefined ? undefined : tokenFile(config.tokenFile),
    credentials: await channelCredentials(server.tls, {
      developmentCertificates: !server.production,
      log,
    }),
  });
  return {
    client,
    circuitBreaker: createCircuitBreaker({ name: 'supplier', log }),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}
// </calls>
