import type { PeerScopes } from '../auth/peer-scopes.ts';
import type { Interceptor, ServerCall } from '../bridge/handler.ts';
import type { Principal } from '../call-context.ts';
import { errorInfo } from '../error-details.ts';
import { Code, RpcError } from '../errors.ts';

/** Resolves tokens to principals. */
export interface TokenVerifier {
  /** The principal of a token that was verified before and is still valid; undefined if it must be verified. */
  known(token: string): Principal | undefined;
  /**
   * Verifies a token. Throws UNAUTHENTICATED for one that is not valid, without the reason, and UNAVAILABLE while the
   * keys cannot be read.
   */
  verify(token: string): Promise<Principal>;
}

const scheme = 'bearer ';

/**
 * Authenticates the caller by its bearer token (RFC 6750), or without one by the SPIFFE ID of its certificate, and
 * holds it to the scopes that the contract asks for. A certificate alone opens nothing: its ID must be among the peers.
 */
export function auth(tokens: TokenVerifier, peers: PeerScopes): Interceptor {
  return (next) => {
    const serveAs = (call: ServerCall, principal: Principal) => {
      call.principal = principal;
      requireScopes(principal, call.method.policy.scopes);
      return next(call);
    };
    return (call) => {
      const principal = peerPrincipal(call, peers) ?? principalOf(tokenOf(call), tokens);
      return principal instanceof Promise
        ? principal.then((each) => serveAs(call, each))
        : serveAs(call, principal);
    };
  };
}

function principalOf(token: string, tokens: TokenVerifier): Principal | Promise<Principal> {
  return tokens.known(token) ?? tokens.verify(token);
}

/** Whoever sends a token, even a bad one, calls as what the token says: often in the name of somebody with fewer rights. */
function peerPrincipal(call: ServerCall, peers: PeerScopes): Principal | undefined {
  if (call.header('authorization') !== undefined || peers.size === 0) return undefined;
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

/** Throws PERMISSION_DENIED unless the principal has all of these scopes, naming the first that it lacks. */
export function requireScopes(principal: Principal, scopes: readonly string[]): void {
  for (const scope of scopes) {
    if (principal.scopes.has(scope)) continue;
    throw new RpcError(Code.PERMISSION_DENIED, `the caller lacks the scope ${scope}`, {
      details: [errorInfo('auth', 'SCOPE_MISSING', { scope })],
    });
  }
}
