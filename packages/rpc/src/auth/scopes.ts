import type { Principal } from '../call/call-context.ts';
import { errorInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';

/** RFC 6749, section 3.3. */
const scopePattern = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Returns whether a text is a single OAuth scope. */
export function isScope(text: string): boolean {
  return scopePattern.test(text);
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
