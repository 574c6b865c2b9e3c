import type { PeerScopes } from '../auth/peer-scopes.ts';
import { requireScopes } from '../auth/scopes.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Principal } from '../call/call-context.ts';
import type { Handler, Interceptor, ServerCall } from '../call/handler.ts';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { createFairSemaphore, SemaphoreFullError } from '../limits/semaphore.ts';

const scheme = 'bearer ';

/**
 * Verifications of tokens that are not known, in the whole process. Connections take turns, so that one that floods
 * the server with forged tokens delays only its own calls.
 */
const verifications = { permits: 16, maxWaiting: 1024, maxWaitingPerKey: 128 };

/** When a call whose token could not be verified is worth making again. */
const retryDelayMs = 200;

/** How often the token of an open stream is looked at again: its key may have been withdrawn. */
const recheckMs = 30_000;
/** The longest wait that a timer of Node can hold. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Authenticates the caller by its bearer token (RFC 6750), or without one by the SPIFFE ID of its certificate, which
 * must be among the peers. A stream ends UNAUTHENTICATED when its token expires or its key is withdrawn.
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
      const token = tokenOf(call);
      const known = tokens.known(token);
      return known
        ? serveAs(call, known, token)
        : verify(token, call).then((principal) => serveAs(call, principal, token));
    };
  };
}

/** Holds the caller to the scopes that the contract asks for. */
export function authorization(): Interceptor {
  return (next) => (call) => {
    requireScopes(call.principal, call.method.policy.scopes);
    return next(call);
  };
}

/** Serves a stream for as long as its token is valid. */
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
    if (tokens.known(token)) return;
    await tokens.verify(token).catch((error: unknown) => {
      // Keys that cannot be read now say nothing about the token.
      if (error instanceof RpcError && error.code === Code.UNAUTHENTICATED) end(error);
    });
  };
  const expiry = setTimeout(() => end(), Math.min(Math.max(expiresAtMs - Date.now(), 0), maxTimerMs));
  const rechecks = setInterval(recheck, recheckMs);
  try {
    await next(call);
  } finally {
    clearTimeout(expiry);
    clearInterval(rechecks);
  }
}

/**
 * A token takes precedence over the certificate, even one that is invalid or cannot be read: a proxy that forwards a
 * user's call must not lend the user its own scopes.
 */
function peerPrincipal(call: ServerCall, peers: PeerScopes): Principal | undefined {
  if (peers.size === 0 || call.hasAuthorization) return undefined;
  const subject = call.peerIdentity;
  const scopes = subject === undefined ? undefined : peers.get(subject);
  return subject !== undefined && scopes ? { subject, scopes } : undefined;
}

/** Without a regular expression, which would take as long as finding the token among those that are known. */
function tokenOf(call: ServerCall): string {
  const header = call.header('authorization') ?? '';
  const isBearer = header.slice(0, scheme.length).toLowerCase() === scheme;
  const token = isBearer ? header.slice(scheme.length).trim() : '';
  if (token === '' || token.includes(' '))
    throw new RpcError(Code.UNAUTHENTICATED, 'no token: send metadata `authorization: Bearer <token>`');
  return token;
}
