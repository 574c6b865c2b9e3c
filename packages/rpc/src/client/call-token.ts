import type { MethodInfo } from '../call-context.ts';
import { Code, RpcError } from '../errors.ts';
import { type CallOptions, onAbort, type TokenSource } from './call-options.ts';

/**
 * The token for a call, if its source gives one before the call must be over.
 *
 * @throws RpcError DEADLINE_EXCEEDED or CANCELLED when the call ends before, else with the code of the source's own
 * RpcError, UNAVAILABLE for instance, or UNAUTHENTICATED for any other error. It counts as the method's answer: whoever
 * called this service is not the one who is not authenticated.
 */
export async function tokenFor(
  method: MethodInfo,
  token: TokenSource,
  deadline: number,
  options: CallOptions,
): Promise<string> {
  const fail = (code: Code, message: string, cause?: unknown) =>
    new RpcError(code, message, { answeredBy: method.name, cause });
  const given = attempt(token);
  // Nearly every time: there is nothing to wait for.
  if (typeof given === 'string') return given;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const late = 'the call ended before there was a token for it';
  const timer = setTimeout(() => reject(fail(Code.DEADLINE_EXCEEDED, late)), deadline - Date.now());
  const stopWatching = onAbort(options, () => reject(fail(Code.CANCELLED, late)));
  given.then(resolve, (cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const code = cause instanceof RpcError ? cause.code : Code.UNAUTHENTICATED;
    reject(fail(code, `no token for the call: ${reason}`, cause));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    stopWatching();
  }
}

/** A source that throws at once is one that rejects. */
function attempt(token: TokenSource): string | Promise<string> {
  try {
    return token();
  } catch (error) {
    return Promise.reject(error);
  }
}
