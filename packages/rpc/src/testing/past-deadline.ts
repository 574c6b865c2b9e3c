import type { CallOptions } from '../client/outgoing-call/call-options.ts';
import type { RpcError } from '../errors/rpc-error.ts';
import { rejectionOf } from './rejection-of.ts';

/**
 * Makes a call whose handler does not answer, and gives the error that ends it at its deadline. On a busy machine a short
 * deadline may pass before the server is reached: then the call is made again with twice the time.
 */
export async function pastDeadline(
  call: (options: CallOptions) => Promise<unknown>,
  isServed: () => boolean,
): Promise<RpcError> {
  for (let deadlineMs = 50; ; deadlineMs *= 2) {
    const error = await rejectionOf(call({ deadlineMs }));
    if (isServed()) return error;
  }
}
