// <no-resource>
import { databaseStatus } from '@acme/postgres/errors';
import type { RpcError } from '@acme/rpc/errors';

/** Returns the status of an error, or undefined for an unknown error. The errors of the domain are added here. */
export function toStatus(error: unknown): RpcError | undefined {
  return databaseStatus(error);
}
// </no-resource>
