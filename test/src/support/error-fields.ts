import type { RpcError } from '@acme/rpc/errors/rpc-error';
import { rejectionOf } from '@acme/rpc/testing/rejection-of';

/** All that a caller is told when its call fails. */
export type ErrorFields = Pick<RpcError, 'code' | 'message' | 'details'>;

/** What the caller of a call that fails is told, to be compared as a whole. */
export async function errorFieldsOf(call: Promise<unknown>): Promise<ErrorFields> {
  const { code, message, details } = await rejectionOf(call);
  return { code, message, details };
}
