import type { PeerScopes } from '../auth/peer-scopes.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Principal } from '../call/call-context.ts';
import type { Handler, Interceptor, ServerCall } from '../call/handler.ts';
import { isAnonymous } from '../call/policy.ts';
import { setTimeoutAt } from '../call/timer.ts';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { createFairSemaphore, SemaphoreFullError } from '../limits/semaphore.ts';

const scheme = 'bearer ';

/**
 * Limits of the process for verifications of tokens that are not cached. Connections take turns, so that a connection
 * that floods the server with forged tokens delays only its own calls.
 */
const verifications = { permits: 16, maxWaiting: 1024, maxWaitingPerKey: 128 };

/** Retry delay of a call whose token was not verified. */
const retryDelayMs = 200;

/** Interval at which the token of an open stream is verified again: its key may have been withdrawn. */
const recheckMs = 30_000;

/**
 * Authenticates the caller by its bearer token (RFC 6750) or, without a token, by the SPIFFE ID of its certificate,
 * which must be one of the peers. A stream ends UNAUTHENTICATED when its token expires or its key is withdrawn.
 *
 * On an anonymous method a caller without `authorization` is served as the anonymous principal. Its connection stays
 * limited as an unauthenticated one. A caller with a token is authenticated by it.
 */
export function authentication(tokens: TokenVerifier, peers: PeerScopes): Interceptor {
  const semaphore = createFairSemaphore(verifications);
  const verify = async (token: string, call: ServerCall) => {
    try {
      using _permit = await semaphore.acquire(call.peer);
      return await tokens.verify(token);
    } catch (error) {
      if (!(error instanceof SemaphoreFullError)) throw error;
      throw new RpcError(Code.RESOURCE_EXHAUSTED, 'too many new tokens wait to be verified', {
        details: [retryInfo(retryDelayMs)],
        cause: error,
      });
    }
  };
  return (next) => {
    const serveAs = (call: ServerCall, principal: Principal, token: string) => {
      call.authenticate(principal);
      return call.method.desc.methodKind === 'unary' ? next(call) : serveStream(next, call, token, tokens);
    };
    return (call) => {
      const peer = peerPrincipal(call, peers);
      if (peer) {
        call.authenticate(peer);
        return next(call);
      }
      if (isAnonymous(call.method.policy) && !call.hasAuthorization) return next(call);
      const token = tokenOf(call);
      const cached = tokens.cached(token);
      return cached
        ? serveAs(call, cached, token)
        : verify(token, call).then((principal) => serveAs(call, principal, token));
    };
  };
}

/** Serves a stream while its token is valid. */
async function serveStream(
  next: Handler,
  call: ServerCall,
  token: string,
  tokens: TokenVerifier,
): Promise<void> {
  const { expiresAtMs = Number.POSITIVE_INFINITY } = call.principal;
  const end = (cause?: unknown) =>
    call.abort(new RpcError(Code.UNAUTHENTICATED, 'the token is no longer valid', { cause }));
  const recheck = async () => {
    if (tokens.cached(token)) return;
    await tokens.verify(token).catch((error: unknown) => {
      // A key set that cannot be read now says nothing about the token.
      if (error instanceof RpcError && error.code === Code.UNAUTHENTICATED) end(error);
    });
  };
  const expiry = setTimeoutAt(expiresAtMs, () => end());
  const rechecks = setInterval(recheck, recheckMs);
  try {
    await next(call);
  } finally {
    clearTimeout(expiry);
    clearInterval(rechecks);
  }
}

/**
 * Returns the principal of the caller's certificate. A token takes precedence, even when it is invalid or unreadable: a
 * proxy that forwards a user's call must not lend the user its own scopes.
 */
function peerPrincipal(call: ServerCall, peers: PeerScopes): Principal | undefined {
  if (peers.size === 0 || call.hasAuthorization) return undefined;
  const subject = call.peerIdentity;
  const scopes = subject === undefined ? undefined : peers.get(subject);
  return subject !== undefined && scopes ? { subject, scopes } : undefined;
}

/** Returns the bearer token. A regular expression would cost as much as the lookup of a cached token. */
function tokenOf(call: ServerCall): string {
  const value = call.metadata('authorization') ?? '';
  const isBearer = value.slice(0, scheme.length).toLowerCase() === scheme;
  const token = isBearer ? value.slice(scheme.length).trim() : '';
  if (token === '' || token.includes(' '))
    throw new RpcError(Code.UNAUTHENTICATED, 'no token: send metadata `authorization: Bearer <token>`');
  return token;
}
