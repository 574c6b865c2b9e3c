import type { ChannelCredentials } from '@acme/rpc/client';

/** The targets of running services, and tokens for them. */
export interface ServicesAccess {
  /** Targets in gRPC's naming, by service name. */
  readonly targets: Readonly<Record<string, string>>;
  /** Default: plain text. */
  readonly credentials?: ChannelCredentials | undefined;
  /** Signs a token. The default audience is the service of the scopes, the default duration an hour at least. */
  token(subject: string, scopes: readonly string[], audience?: string, ttlSeconds?: number): Promise<string>;
}

/** Returns the target of a service, or throws if the service is unknown. */
export function targetOf({ targets }: Pick<ServicesAccess, 'targets'>, name: string): string {
  const target = targets[name];
  if (target === undefined)
    throw new Error(`${name} is not running. These services are: ${Object.keys(targets).join(', ')}`);
  return target;
}
