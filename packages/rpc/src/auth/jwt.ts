import { errors, jwtVerify } from 'jose';
import type { Principal } from '../call/call-context.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { getOrInsert } from '../node-24/get-or-insert.ts';
import { type KeySet, type KeySetOptions, openKeySet } from './key-set.ts';
import { createTokenCache, tokenKey, type VerifiedToken } from './token-cache.ts';
import { principalOf, requireAccessTokenType } from './token-claims.ts';
import type { TokenVerifier } from './token-verifier.ts';
import { algorithms } from './usable-keys.ts';

export interface JwtOptions extends KeySetOptions {
  /** Required `iss`. */
  readonly issuer: string;
  /** Required `aud`, or an element of it. */
  readonly audience: string;
  /** Accepted difference of the issuer's clock, for `exp` and `nbf`. */
  readonly clockToleranceSeconds: number;
}

export interface JwtVerifier extends TokenVerifier {
  /** Stops reading the key set. */
  close(): void;
}

/** A longer token is rejected before it is parsed. Metadata is limited to 16 KiB. */
const maxTokenLength = 8 * 1024;

/**
 * Verifies JWT access tokens (RFC 7519, RFC 9068): `typ`, the signature by a key of the set, `iss`, `aud`, `exp`,
 * `nbf`, `iat`, `sub` and scopes. A verified token is remembered for five minutes, until it expires, or until the key
 * set changes.
 *
 * @throws Error if a key set in a file is not usable; see `openKeySet`.
 */
export async function createJwtVerifier(options: JwtOptions): Promise<JwtVerifier> {
  const { now } = options;
  const keySet = await openKeySet(options);
  const cache = createTokenCache();
  const verifying = new Map<string, Promise<Principal>>();

  const verifyOnce = async (key: string, token: string): Promise<Principal> => {
    if (!keySet.current()) await keySet.refreshForMissingKeys();
    const keys = keySet.current();
    if (!keys) throw keysUnavailable();
    const verified = await verifyWith(keys, token, options).catch(async (cause: unknown) => {
      if (!(cause instanceof errors.JWKSNoMatchingKey)) throw invalidToken(cause);
      await keySet.refreshForUnknownKey();
      const newer = keySet.current();
      // While the set cannot be read, the key may be one that the issuer has added.
      if (!newer || (newer === keys && keySet.isFailing())) throw keysUnavailable();
      if (newer === keys) throw invalidToken(cause);
      return await verifyWith(newer, token, options).catch((again: unknown) => {
        throw invalidToken(again);
      });
    });
    cache.set(key, verified);
    return verified.principal;
  };

  return {
    cached: (token) => {
      const keys = keySet.current();
      return keys && token.length <= maxTokenLength ? cache.get(tokenKey(token), keys, now()) : undefined;
    },
    verify: async (token) => {
      if (token.length > maxTokenLength) throw invalidToken(new Error('the token is too long'));
      const key = tokenKey(token);
      // Calls that arrive together with the same token wait for one verification.
      return await getOrInsert(verifying, key, () =>
        verifyOnce(key, token).finally(() => verifying.delete(key)),
      );
    },
    close: keySet.close,
  };
}

async function verifyWith(keys: KeySet, token: string, options: JwtOptions): Promise<VerifiedToken> {
  const { issuer, audience, now, clockToleranceSeconds: toleranceS } = options;
  const nowMs = now();
  const keyOf: KeySet['keyOf'] = (header, jws) => {
    requireAccessTokenType(header.typ); // before the signature, which costs more
    return keys.keyOf(header, jws);
  };
  const { payload } = await jwtVerify(token, keyOf, {
    algorithms,
    issuer,
    audience,
    currentDate: new Date(nowMs),
    clockTolerance: toleranceS,
    requiredClaims: ['sub', 'exp'],
  });
  const principal = principalOf(payload);
  const validUntilMs = principal.expiresAtMs + toleranceS * 1000;
  return { principal, keys, verifiedAtMs: nowMs, validUntilMs };
}

function keysUnavailable(): RpcError {
  return new RpcError(Code.UNAVAILABLE, 'the keys that tokens are verified with cannot be read now');
}

/** The reason is not sent to the caller. Errors of jose contain the claims, so only their code is kept as the cause. */
function invalidToken(error: unknown): RpcError {
  const reason = error instanceof errors.JOSEError ? error.code : (error as Error).message;
  return new RpcError(Code.UNAUTHENTICATED, 'the token is not valid', { cause: new Error(reason) });
}
