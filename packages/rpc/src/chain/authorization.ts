import { requireScopes } from '../auth/scopes.ts';
import type { Interceptor } from '../call/handler.ts';

/** Rejects a caller without the scopes that the contract requires (PERMISSION_DENIED). */
export function authorization(): Interceptor {
  return (next) => (call) => {
    requireScopes(call.principal, call.method.policy.scopes);
    return next(call);
  };
}
