import { currentCall, type MethodInfo } from '../../call/call-context.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';

/** What a caller may say of one call. */
export interface CallOptions {
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** How long the call may take; the contract's deadline when absent. The call that is being served may allow less. */
  readonly deadlineMs?: number;
  /**
   * Metadata to send along, at most 15.5 KiB with the token. A key that is ill-formed, reserved for gRPC or HTTP/2, or set
   * by the client itself fails the call with INVALID_ARGUMENT before anything is sent.
   */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Options of a call that is answered with a stream. */
export interface StreamCallOptions extends CallOptions {
  /** Aborted when the reader leaves the stream. The call ends, and its reader sees no error. */
  readonly readerSignal?: AbortSignal;
}

/**
 * The longest deadline that grpc-js bears. Its server takes what is over 2^31 ms (24.8 days) for one that has passed,
 * and what it gets may be rounded up by a second.
 */
const longestDeadlineMs = 24 * 24 * 60 * 60 * 1000;

/**
 * When the call must be over, in ms since the epoch: what its options or the contract say, and never later than the
 * contract's max_deadline, of which the server grants no more, or the call that is being served.
 */
export function outgoingDeadline(method: MethodInfo, options: CallOptions): number {
  const nowMs = Date.now();
  const deadline = Math.min(
    nowMs + (options.deadlineMs ?? method.policy.deadlineMs),
    nowMs + Math.min(method.policy.maxDeadlineMs, longestDeadlineMs),
    currentCall()?.deadline ?? Infinity,
  );
  // Also when it is no number.
  if (!(deadline > nowMs))
    throw new RpcError(Code.DEADLINE_EXCEEDED, `no time is left to call ${method.name}`, {
      answeredBy: method.name,
    });
  return deadline;
}

/**
 * Calls `cancel` when the reader leaves, or the call's own signal or that of the call that is being served is aborted.
 * Returns a function that removes the listeners: those of a call that is over must not pile up on a signal that lives
 * longer.
 */
export function onAbort(options: StreamCallOptions, cancel: () => void): () => void {
  const signals = [options.signal, options.readerSignal, currentCall()?.signal].filter(
    (signal) => signal !== undefined,
  );
  for (const signal of signals) {
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel);
  }
  return () => {
    for (const signal of signals) signal.removeEventListener('abort', cancel);
  };
}
