import { Code, RpcError, retryInfo } from '@acme/rpc/errors';
import { isConflict, isStalePlan, isTimeout, isUnavailable, QueueFullError } from './database-errors.ts';

/** Delay after which a call that failed for lack of the database is worth retrying. */
const retryDelayMs = 500;

/** Returns the status of a database failure. Returns undefined for other errors, and for defects of this program. */
export function databaseStatus(cause: unknown): RpcError | undefined {
  // A stale plan gets here only where the statement could not be repeated.
  if (isUnavailable(cause) || isStalePlan(cause))
    return new RpcError(Code.UNAVAILABLE, 'the database is unavailable', {
      details: [retryInfo(retryDelayMs)],
      cause,
    });
  if (isTimeout(cause))
    return new RpcError(Code.DEADLINE_EXCEEDED, 'the database did not answer in time', { cause });
  if (isConflict(cause))
    return new RpcError(Code.ABORTED, 'a concurrent change conflicted: nothing was done, retry the call', {
      cause,
    });
  if (cause instanceof QueueFullError)
    return new RpcError(Code.RESOURCE_EXHAUSTED, 'the queue for the database is full', {
      details: [retryInfo(retryDelayMs)],
      cause,
    });
  return undefined;
}
