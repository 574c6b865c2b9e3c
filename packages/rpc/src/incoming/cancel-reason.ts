import { hasPassed } from '../call/timer.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';

/**
 * Returns the reason of a call that its caller has ended, or that the transport ends at the caller's deadline. The caller's
 * clock started earlier, so its cancellation at the deadline may arrive before this server's deadline.
 */
export function cancelReason(callerDeadlineAtMs: number | undefined): RpcError {
  return callerDeadlineAtMs !== undefined && hasPassed(callerDeadlineAtMs)
    ? new RpcError(Code.DEADLINE_EXCEEDED, 'deadline exceeded')
    : new RpcError(Code.CANCELLED, 'cancelled by the caller');
}
