import { requireScopes } from '@acme/rpc/auth/require-scopes';
import type { Principal } from '@acme/rpc/call/call-context';

/** The customer that is asked for; the caller itself by default. Another one takes a scope of its own. */
export function customerOf(asked: string, principal: Principal, anyScope: string): string {
  if (asked !== '' && asked !== principal.subject) requireScopes(principal, [anyScope]);
  return asked || principal.subject;
}

/** Whose orders the caller may touch by their ids: undefined for anybody's. To others they do not exist. */
export function ownerOf(principal: Principal, anyScope: string): string | undefined {
  return principal.scopes.has(anyScope) ? undefined : principal.subject;
}
