import type { JWTPayload } from 'jose';
import type { Principal } from '../call/call-context.ts';
import { isScope } from './scopes.ts';

/** The end of the year 9999. An `exp` in milliseconds exceeds it. */
const maxNumericDate = 253_402_300_799;

/** OpenID Connect allows 255 ASCII characters; the contracts' customer_id allows 128 of any kind. */
const maxSubjectLength = 256;

/** Entra and Okta issue some dozens. */
const maxScopes = 256;

/** Control characters, lone surrogates and line separators, which PostgreSQL and log readers do not accept. */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Throws unless the header's `typ` is that of an access token: `JWT` (RFC 7519), `at+jwt` (RFC 9068), or absent. This
 * rejects logout tokens and ID tokens that have their own type.
 */
export function requireAccessTokenType(typ: unknown): void {
  if (typ === undefined) return;
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';
  if (type !== 'jwt' && type !== 'at+jwt') throw new Error('typ is neither JWT nor at+jwt');
}

/**
 * Returns the principal of verified claims. `exp` and `nbf` have already been compared with the clock. `iat` is not
 * compared: a date in the future means a wrong clock, not an invalid token (RFC 7519, section 4.1.6).
 *
 * @throws Error that names the claim, never its value.
 */
export function principalOf(payload: JWTPayload): Principal & { expiresAtMs: number } {
  const { sub, exp, nbf, iat } = payload;
  if (!isSubject(sub)) throw new Error('sub is not printable text of 1 to 256 characters');
  if (!isNumericDate(exp)) throw new Error('exp is not a date');
  if (nbf !== undefined && !isNumericDate(nbf)) throw new Error('nbf is not a date');
  if (iat !== undefined && !isNumericDate(iat)) throw new Error('iat is not a date');
  return { subject: sub, scopes: scopesOf(payload), expiresAtMs: exp * 1000 };
}

function isSubject(sub: unknown): sub is string {
  return (
    typeof sub === 'string' && sub.length <= maxSubjectLength && sub.trim() !== '' && !unprintable.test(sub)
  );
}

/** RFC 7519, section 2. It may have a fraction. */
function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= maxNumericDate;
}

/**
 * Returns the scopes of `scope` (RFC 8693) and `scp` (Entra, Okta). Each is a string of scopes separated by spaces, or
 * an array of scopes.
 */
function scopesOf({ scope, scp }: JWTPayload): ReadonlySet<string> {
  const scopes = new Set([...scopeList(scope), ...scopeList(scp)]);
  if (scopes.size > maxScopes) throw new Error(`there are more than ${maxScopes} scopes`);
  return scopes;
}

function scopeList(claim: unknown): string[] {
  if (claim === undefined) return [];
  const list: unknown = typeof claim === 'string' ? claim.split(' ').filter(Boolean) : claim;
  const isList = Array.isArray(list) && list.every((each) => typeof each === 'string' && isScope(each));
  if (!isList) throw new Error('scope or scp is neither a string nor an array of scopes');
  return list;
}
