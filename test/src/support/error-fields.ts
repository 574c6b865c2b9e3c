import type { RpcError } from '@acme/rpc/errors';
import { rejectionOf } from '@acme/rpc/testing';

/** Fields of an error that the client receives. */
export type ErrorFields = Pick<RpcError, 'code' | 'message' | 'details'>;

/** Returns the fields of a failed call's error, for comparison as a whole. */
export async function errorFieldsOf(call: Promise<unknown>): Promise<ErrorFields> {
  const { code, message, details } = await rejectionOf(call);
  return { code, message, details };
}
