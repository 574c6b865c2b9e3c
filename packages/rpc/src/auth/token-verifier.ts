import type { Principal } from '../call/call-context.ts';

/** Resolves tokens to principals. */
export interface TokenVerifier {
  /** Returns the principal of a token from the cache; undefined if it must be verified. */
  cached(token: string): Principal | undefined;
  /**
   * Verifies a token and returns its principal. Throws UNAUTHENTICATED for an invalid token, without the reason, and
   * UNAVAILABLE while the keys cannot be read.
   */
  verify(token: string): Promise<Principal>;
}
