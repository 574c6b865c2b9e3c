import type { Interceptor, ServerCall } from '../call/handler.ts';
import { setTimeoutAt } from '../call/timer.ts';
import { errorInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';

/** Treatment of a call without a deadline: the contract's deadline (`default`), or INVALID_ARGUMENT (`require`). */
export type DeadlineMode = 'default' | 'require';

/**
 * Gives every call a deadline and ends the call at it, whether or not its handler observes the signal. A caller's
 * deadline is capped at the contract's `max_deadline`.
 */
export function deadline(mode: DeadlineMode): Interceptor {
  return (next) => async (call) => {
    call.deadlineAtMs = grantedDeadlineAtMs(call, mode, Date.now());
    const timer = setTimeoutAt(call.deadlineAtMs, () =>
      call.abort(new RpcError(Code.DEADLINE_EXCEEDED, 'deadline exceeded')),
    );
    try {
      await untilAborted(next(call), call);
    } finally {
      clearTimeout(timer);
    }
  };
}

function grantedDeadlineAtMs(call: ServerCall, mode: DeadlineMode, nowMs: number): number {
  const { deadlineMs, maxDeadlineMs } = call.method.policy;
  if (call.callerDeadlineAtMs !== undefined) return Math.min(call.callerDeadlineAtMs, nowMs + maxDeadlineMs);
  if (mode === 'default') return nowMs + deadlineMs;
  throw new RpcError(
    Code.INVALID_ARGUMENT,
    `a call of ${call.method.name} needs a deadline; the contract suggests ${deadlineMs} ms`,
    {
      details: [errorInfo(call.method.desc.parent.file.proto.package, 'DEADLINE_REQUIRED')],
    },
  );
}

/** Settles with the work, or rejects with the reason as soon as the call is aborted. */
function untilAborted(work: Promise<void>, call: ServerCall): Promise<void> {
  return new Promise((resolve, reject) => {
    call.onAbort(reject);
    work.then(resolve, reject);
  });
}
