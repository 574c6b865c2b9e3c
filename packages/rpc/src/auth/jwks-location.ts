export const jwksFormat = 'the file or the https URL of a JWK Set';

const loopbackUrl = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/;

/** Returns what is wrong with the file or URL of a JWK Set, or undefined. Whether a file exists is not looked up. */
export function jwksProblem(location: string): string | undefined {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(location) ?? [];
  if (scheme === undefined || loopbackUrl.test(location)) return undefined;
  if (scheme.toLowerCase() === 'http')
    return 'plain http from another machine, where a key could be replaced on the way';
  if (!location.startsWith('https://')) return 'a URL of another scheme than https://';
  if (!URL.canParse(location)) return 'the URL is malformed';
  const { username, password } = new URL(location);
  return username || password ? 'a URL with a user or a password' : undefined;
}
