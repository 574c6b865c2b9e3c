export const jwksFormat = 'the file or the https URL of a JWK Set';

const loopbackUrl = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/;

/** Returns whether the location of a JWK Set is a URL, not a file. A single letter before a colon is a drive. */
export function isJwksUrl(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(location);
}

/**
 * Returns the problem with the file or URL of a JWK Set, or undefined. It does not check whether a file exists. Plain http
 * is accepted from this machine only, because the keys could be replaced in transit.
 */
export function jwksProblem(location: string): string | undefined {
  if (!isJwksUrl(location)) return undefined;
  if (!URL.canParse(location)) return 'the URL is malformed';
  // Checked first: `http://localhost:x@issuer.test` is not on this machine.
  const { protocol, username, password } = new URL(location);
  if (username || password) return 'a URL with a user or a password';
  if (location.startsWith('https://') || loopbackUrl.test(location)) return undefined;
  return protocol === 'http:'
    ? 'plain http from another machine, where a key could be replaced on the way'
    : 'a URL of another scheme than https://';
}
