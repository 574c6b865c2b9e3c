import { readFile } from 'node:fs/promises';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { Principal } from '../call-context.ts';
import { Code, RpcError } from '../errors.ts';
import type { TokenVerifier } from '../interceptors/auth.ts';

export interface JwtOptions {
  /** A JWK Set (RFC 7517): a file's path or an https URL; http only from this machine. */
  readonly jwks: string;
  /** What `iss` must be. */
  readonly issuer: string;
  /** What `aud` must hold. */
  readonly audience: string;
  /** Whether keys made for development are good; never in production. */
  readonly developmentKeys: boolean;
  /** Wall clock, in ms since the epoch. */
  readonly now: () => number;
}

/** Keys whose id starts with this were made by `npm start` or `npm run token`. */
export const developmentKeyPrefix = 'dev-';

/** Of these the issuer's web server is to blame, not the token. */
const keySetFaults = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID', 'ERR_JWKS_TIMEOUT']);

/** Over plain http anybody on the way could put in a key of his own. */
const keySetUrl = /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/])/;

/** Public-key algorithms only: one that takes a shared secret would accept the public key as that. */
const algorithms = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'];

/** Verified tokens remembered at the most; the oldest is forgotten first. */
const maxCachedTokens = 10_000;

/**
 * Verifies JWT access tokens (RFC 7519, RFC 9068): signature by a key of the set, `iss`, `aud`, `exp`, `nbf`. Scopes
 * are the words of `scope` (RFC 8693). A verified token is remembered until it expires.
 *
 * @throws Error when the key set cannot be read, or holds development keys where they are not allowed.
 */
export async function createJwtVerifier(options: JwtOptions): Promise<TokenVerifier> {
  const keys = await openKeys(options);
  const verified = new Map<string, Principal & { expiresAtMs: number }>();
  return {
    known: (token) => {
      const principal = verified.get(token);
      return principal && options.now() < principal.expiresAtMs ? principal : undefined;
    },
    verify: async (token) => {
      verified.delete(token);
      const principal = await verify(token, keys, options);
      if (verified.size >= maxCachedTokens) verified.delete(verified.keys().next().value ?? '');
      verified.set(token, principal);
      return principal;
    },
  };
}

async function verify(token: string, keys: JWTVerifyGetKey, { issuer, audience, now }: JwtOptions) {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms,
      issuer,
      audience,
      currentDate: new Date(now()),
      requiredClaims: ['sub', 'exp'],
    });
    const scopes = typeof payload.scope === 'string' ? payload.scope.split(' ').filter(Boolean) : [];
    return { subject: payload.sub ?? '', scopes: new Set(scopes), expiresAtMs: (payload.exp ?? 0) * 1000 };
  } catch (cause) {
    if (!(cause instanceof errors.JOSEError) || keySetFaults.has(cause.code))
      throw new RpcError(Code.UNAVAILABLE, 'the keys that tokens are checked with cannot be read now', {
        cause,
      });
    throw new RpcError(Code.UNAUTHENTICATED, 'the token is not valid', { cause });
  }
}

async function openKeys({ jwks, developmentKeys }: JwtOptions): Promise<JWTVerifyGetKey> {
  const isRefused = (set: JSONWebKeySet) =>
    !developmentKeys && set.keys.some((key) => key.kid?.startsWith(developmentKeyPrefix));
  if (keySetUrl.test(jwks)) {
    const remote = createRemoteJWKSet(new URL(jwks), { timeoutDuration: 2000 });
    return async (header, token) => {
      const key = await remote(header, token);
      if (isRefused(remote.jwks() ?? { keys: [] })) throw new errors.JWKSNoMatchingKey();
      return key;
    };
  }
  const set = await readKeySet(jwks);
  if (isRefused(set))
    throw new Error(
      `${jwks} holds a development key, which production does not accept: set AUTH_JWKS to your own`,
    );
  return createLocalJWKSet(set);
}

async function readKeySet(file: string): Promise<JSONWebKeySet> {
  try {
    const set = JSON.parse(await readFile(file, 'utf8'));
    if (!Array.isArray(set?.keys)) throw new Error('it has no "keys"');
    return set;
  } catch (cause) {
    throw new Error(
      `no JWK Set can be read from ${file}: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}
