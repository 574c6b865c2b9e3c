import type { MethodInfo } from '../../call/call-context.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import type { TokenSource } from '../credentials/token-source.ts';
import { beforeEnd } from './before-end.ts';
import type { StreamCallOptions } from './call-options.ts';

/** Printable ASCII, as a header requires. The length leaves half of a server's 16 KiB of metadata for other entries. */
const tokenPattern = /^[\x21-\x7e]{1,8192}$/;

/**
 * Returns the token for a call, synchronously if its source does.
 *
 * @throws RpcError DEADLINE_EXCEEDED or CANCELLED when the call ends first, the code of the source's own RpcError, or
 * UNAUTHENTICATED for any other error of the source and for a token that no header can carry. `calledMethod` is the method,
 * because the error is not about the caller of this service.
 */
export function tokenFor(
  method: MethodInfo,
  token: TokenSource,
  deadlineAtMs: number,
  options: StreamCallOptions,
): string | Promise<string> {
  const result = callSource(token);
  if (typeof result === 'string') return requirePrintable(result, method);
  const pending = Promise.resolve(result).catch((cause: unknown) => {
    const code = cause instanceof RpcError ? cause.code : Code.UNAUTHENTICATED;
    throw new RpcError(code, `no token for the call: ${reasonOf(cause)}`, {
      calledMethod: method.name,
      cause,
    });
  });
  const end = { method, deadlineAtMs, options };
  return beforeEnd(pending, end, 'the call ended before there was a token for it').then((late) =>
    requirePrintable(late, method),
  );
}

function requirePrintable(token: unknown, method: MethodInfo): string {
  if (typeof token === 'string' && tokenPattern.test(token)) return token;
  // The message goes into logs, so it does not contain the token.
  const message = 'no token for the call: the source returned one that is empty, too long or not printable';
  throw new RpcError(Code.UNAUTHENTICATED, message, { calledMethod: method.name });
}

/** Calls the source. An error that it throws becomes a rejection. */
function callSource(token: TokenSource): string | Promise<string> {
  try {
    return token();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** A source may throw anything. Converting that to text may throw as well. */
function reasonOf(cause: unknown): string {
  if (cause instanceof Error) return cause.message;
  return typeof cause === 'string' ? cause : 'its source threw a value that is not an error';
}
