import type { CallOptions } from '../client/outgoing-call/call-options.ts';
import type { RpcError } from '../errors/rpc-error.ts';
import { rejectionOf } from './rejection-of.ts';

/**
 * Makes a call whose handler does not answer, and returns its error at the deadline. On a busy machine the deadline may
 * pass before the call reaches the server. Then the call is repeated with twice the deadline.
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
