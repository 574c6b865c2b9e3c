import type { MethodInfo } from '../../call/call-context.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import type { TokenSource } from '../credentials/token-source.ts';
import { onAbort, type StreamCallOptions } from './call-options.ts';

/** What an `authorization` header can carry; the limit leaves half of a server's 16 KiB of metadata for the rest. */
const tokenPattern = /^[\x21-\x7e]{1,8192}$/;

/**
 * Returns the token for a call, if its source returns one before the call must be over.
 *
 * @throws RpcError DEADLINE_EXCEEDED or CANCELLED when the call ends before. Otherwise with the code of the source's own
 * RpcError, UNAVAILABLE for instance, or UNAUTHENTICATED for any other error, and for a token that no header can carry.
 * It counts as the method's answer: the caller of this service is not the one who is not authenticated.
 */
export function tokenFor(
  method: MethodInfo,
  token: TokenSource,
  deadline: number,
  options: StreamCallOptions,
): string | Promise<string> {
  const given = attempt(token);
  // Nearly every time: there is nothing to wait for.
  if (typeof given === 'string') return requirePrintable(given, method);
  return beforeEnd(given, method, deadline, options).then((late) => requirePrintable(late, method));
}

function requirePrintable(token: unknown, method: MethodInfo): string {
  if (typeof token === 'string' && tokenPattern.test(token)) return token;
  // Without the token: the message goes into logs.
  const message = 'no token for the call: the source returned one that is empty, too long or not printable';
  throw new RpcError(Code.UNAUTHENTICATED, message, { answeredBy: method.name });
}

async function beforeEnd(
  given: Promise<string>,
  method: MethodInfo,
  deadline: number,
  options: StreamCallOptions,
): Promise<string> {
  const fail = (code: Code, message: string, cause?: unknown) =>
    new RpcError(code, message, { answeredBy: method.name, cause });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const late = 'the call ended before there was a token for it';
  const timer = setTimeout(() => reject(fail(Code.DEADLINE_EXCEEDED, late)), deadline - Date.now());
  const stopWatching = onAbort(options, () => reject(fail(Code.CANCELLED, late)));
  Promise.resolve(given).then(resolve, (cause: unknown) => {
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

/** Calls the source; one that throws at once is one that rejects. */
function attempt(token: TokenSource): string | Promise<string> {
  try {
    return token();
  } catch (error) {
    return Promise.reject(error);
  }
}
