import type { MethodInfo } from '../../call/call-context.ts';
import { setTimeoutAt } from '../../call/timer.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { onAbort, type StreamCallOptions } from './call-options.ts';

/** The end of a call: its deadline, or its cancellation by an abort signal. */
export interface CallEnd {
  readonly method: MethodInfo;
  /** In ms since the epoch. `Infinity` for none. */
  readonly deadlineAtMs: number;
  readonly options: StreamCallOptions;
}

/**
 * Waits for something of the caller's that may never settle, until the end of the call.
 *
 * @param late The message of the error if the call ends first.
 * @throws RpcError DEADLINE_EXCEEDED or CANCELLED if the call ends first, otherwise the error of `pending`.
 */
export async function beforeEnd<T>(
  pending: PromiseLike<T> | T,
  { method, deadlineAtMs, options }: CallEnd,
  late: string,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const fail = (code: Code) => reject(new RpcError(code, late, { calledMethod: method.name }));
  const timer = setTimeoutAt(deadlineAtMs, () => fail(Code.DEADLINE_EXCEEDED));
  const stopWatching = onAbort(options, () => fail(Code.CANCELLED));
  Promise.resolve(pending).then(resolve, reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    stopWatching();
  }
}
