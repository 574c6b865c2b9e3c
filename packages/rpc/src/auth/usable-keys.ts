import { createPublicKey } from 'node:crypto';
import type { JWK } from 'jose';

/** The keys of a JWK Set that verify tokens. */
export interface UsableKeys {
  readonly keys: readonly JWK[];
  /** A line for each key that is ignored although it is meant for signatures. */
  readonly problems: readonly string[];
  /** Whether the set has a development key that is not accepted. */
  readonly hasRejectedDevelopmentKey: boolean;
}

/** Keys whose id starts with this were made by `npm start` or `npm run token`. */
export const developmentKeyPrefix = 'dev-';

/**
 * Accepted algorithms (RFC 7518, RFC 8037) by type of key. They are public-key algorithms only: an algorithm with a shared
 * secret would accept the public key as the secret.
 */
const algorithmsByKey: ReadonlyMap<unknown, readonly unknown[]> = new Map([
  ['RSA', ['RS256', 'PS256']],
  ['EC P-256', ['ES256']],
  ['EC P-384', ['ES384']],
  ['OKP Ed25519', ['EdDSA']],
]);
export const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];

/** Issuers publish a handful of keys. Every key is parsed when the set is read. */
const maxKeys = 100;
/** NIST SP 800-131A sets the minimum. Beyond the maximum, verifying a token costs milliseconds. */
const rsaBits = { min: 2048, max: 8192 };

/** Parameters of a private key (RFC 7518, section 6), or of a symmetric one. */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** The members that verification needs. Certificates and URLs in a key are not read. */
const publicMembers = ['kty', 'kid', 'alg', 'use', 'key_ops', 'n', 'e', 'crv', 'x', 'y'];

/**
 * Parses a JWK Set (RFC 7517) and selects the public signature keys of accepted algorithms and sizes. A set may be
 * empty: its issuer has withdrawn all keys.
 *
 * @throws Error if the text is not a JWK Set, or has more than 100 keys.
 */
export function usableKeys(text: string, { developmentKeys }: { developmentKeys: boolean }): UsableKeys {
  const set: unknown = JSON.parse(text);
  if (!isObject(set) || !Array.isArray(set.keys)) throw new Error('it has no "keys"');
  if (set.keys.length > maxKeys) throw new Error(`it has more than ${maxKeys} keys`);
  const keys = new Map<string, JWK>();
  const problems: string[] = [];
  let hasRejectedDevelopmentKey = false;
  for (const [index, key] of set.keys.entries()) {
    // Issuers publish encryption keys in the same set.
    if (isObject(key) && key.use === 'enc') continue;
    const isRejected = isDevelopmentKey(key) && !developmentKeys;
    hasRejectedDevelopmentKey ||= isRejected;
    const problem = isRejected ? 'is a development key, which production does not accept' : problemOf(key);
    const usable = publicPart(key);
    const id = JSON.stringify([usable.kid ?? index, usable.kty, usable.crv, usable.alg]);
    if (problem) problems.push(`${nameOf(key, index)} ${problem}`);
    else if (keys.has(id)) problems.push(`${nameOf(key, index)} repeats a kid: the first key is used`);
    else keys.set(id, usable);
  }
  return { keys: [...keys.values()], problems, hasRejectedDevelopmentKey };
}

/** Returns why a key is not used, undefined for a usable one. */
function problemOf(key: unknown): string | undefined {
  if (!isObject(key)) return 'is not an object';
  if (key.kty === 'oct') return 'is symmetric: a set must hold public keys only';
  if (secretMembers.some((member) => member in key)) return 'is a private key: replace it, it is compromised';
  if (key.use !== undefined && key.use !== 'sig') return 'has a use other than sig';
  if (key.kid !== undefined && typeof key.kid !== 'string') return 'has a kid that is not a string';
  const accepted = algorithmsByKey.get(key.kty === 'RSA' ? key.kty : textOf(key.kty, key.crv));
  if (!accepted) return 'is not an RSA, P-256, P-384 or Ed25519 key';
  if (key.alg !== undefined && !accepted.includes(key.alg))
    return `has another alg than ${accepted.join(' or ')}`;
  if (key.key_ops !== undefined && !(Array.isArray(key.key_ops) && key.key_ops.includes('verify')))
    return 'has key_ops without verify';
  return key.kty === 'RSA' ? rsaProblem(key) : parseProblem(key);
}

function rsaProblem(key: Record<string, unknown>): string | undefined {
  const problem = parseProblem(key);
  if (problem) return problem;
  const { modulusLength = 0, publicExponent = 0n } = detailsOf(key);
  if (modulusLength < rsaBits.min || modulusLength > rsaBits.max)
    return `has ${modulusLength} bits, outside of ${rsaBits.min} to ${rsaBits.max}`;
  // With an exponent of 1 every text is its own signature.
  return publicExponent < 3n ? 'has a public exponent below 3' : undefined;
}

function parseProblem(key: Record<string, unknown>): string | undefined {
  try {
    detailsOf(key);
    return undefined;
  } catch {
    return 'cannot be parsed';
  }
}

function detailsOf(key: Record<string, unknown>) {
  return createPublicKey({ key, format: 'jwk' }).asymmetricKeyDetails ?? {};
}

/** Members of a set can be of any type. */
function textOf(...members: unknown[]): string {
  return members.map((member) => (typeof member === 'string' ? member : '')).join(' ');
}

function publicPart(key: unknown): JWK {
  if (!isObject(key)) return {};
  return Object.fromEntries(Object.entries(key).filter(([member]) => publicMembers.includes(member)));
}

function isDevelopmentKey(key: unknown): boolean {
  return isObject(key) && typeof key.kid === 'string' && key.kid.startsWith(developmentKeyPrefix);
}

function nameOf(key: unknown, index: number): string {
  return isObject(key) && typeof key.kid === 'string'
    ? `key ${JSON.stringify(key.kid.slice(0, 64).toWellFormed())}`
    : `key ${index + 1}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
