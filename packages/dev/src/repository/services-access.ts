import type { ChannelCredentials } from '@acme/rpc/tls/channel-credentials';

/** Where services are reached, and how to get a token for them. */
export interface ServicesAccess {
  /** By name, in gRPC's naming. */
  readonly targets: Readonly<Record<string, string>>;
  /** Plain text when absent. */
  readonly credentials?: ChannelCredentials | undefined;
  /** Signs a token for one service: by default for the one that the scopes are of. */
  token(subject: string, scopes: readonly string[], audience?: string): Promise<string>;
}

/** Where a service is reached. Throws when it is not among them. */
export function targetOf({ targets }: Pick<ServicesAccess, 'targets'>, name: string): string {
  const target = targets[name];
  if (target === undefined)
    throw new Error(`${name} does not run: those that do are ${Object.keys(targets).join(', ')}`);
  return target;
}
