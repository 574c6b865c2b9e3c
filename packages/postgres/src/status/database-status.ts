import { retryInfo } from '@acme/rpc/errors/error-details';
import { Code, RpcError } from '@acme/rpc/errors/rpc-error';
import { QueueFullError } from '../batch/batch.ts';
import { isStalePlan } from '../pool/stale-plan.ts';
import { isConflict, isTimeout, isUnavailable } from '../transaction/errors.ts';

/** How long a caller waits before it tries a database again that was away or had too much to do. */
const retryDelayMs = 500;

/** The status of a database's failure; undefined for an error that is not one, or that is a defect of ours. */
export function databaseStatus(cause: unknown): RpcError | undefined {
  // A stale plan gets here only where nothing could be repeated; nothing was done.
  if (isUnavailable(cause) || isStalePlan(cause))
    return new RpcError(Code.UNAVAILABLE, 'the database cannot be reached now', {
      details: [retryInfo(retryDelayMs)],
      cause,
    });
  if (isTimeout(cause))
    return new RpcError(Code.DEADLINE_EXCEEDED, 'the database did not answer in time', { cause });
  if (isConflict(cause))
    return new RpcError(Code.ABORTED, 'another change stood in the way: nothing was done, try again', {
      cause,
    });
  if (cause instanceof QueueFullError)
    return new RpcError(Code.RESOURCE_EXHAUSTED, 'more waits for the database than it can take', {
      details: [retryInfo(retryDelayMs)],
      cause,
    });
  return undefined;
}
