import { createReadStream } from 'node:fs';

/** The file or URL that a JWK Set is read from. */
export interface KeySetSource {
  /** For log lines and errors; a URL without its query. */
  readonly name: string;
  readonly kind: 'file' | 'url';
  /** Returns the text of the set. Rejects if it is longer than 256 KiB, or if a URL has not returned it within 2 s. */
  read(): Promise<string>;
}

/** Format of `AUTH_JWKS`, for error messages and docs/settings.md. */
export const jwksFormat = 'the file or the https URL of a JWK Set';

/** Sets of real issuers are below 20 kB. */
const maxSizeBytes = 256 * 1024;
/** Time limit of a request, the body included. A file has none. */
const timeoutMs = 2_000;

const loopbackUrl = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/;

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

/** Returns whether the location of a JWK Set is a URL, not a file. A single letter before a colon is a drive. */
function isJwksUrl(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(location);
}

/**
 * Opens `AUTH_JWKS`: a file's path, an https URL, or an http URL of this machine.
 *
 * @throws Error for any other location; see `jwksProblem`.
 */
export function keySetSource(jwks: string): KeySetSource {
  const problem = jwksProblem(jwks);
  // Even a URL that cannot be parsed may hold a password before its @.
  if (problem && jwks.includes('@'))
    throw new Error('no JWK Set can be read from a URL that contains a user name or a password');
  if (problem) throw new Error(`no JWK Set can be read from ${jwks}: ${problem}`);
  if (!isJwksUrl(jwks)) return { name: jwks, kind: 'file', read: () => readBounded(createReadStream(jwks)) };
  const url = new URL(jwks);
  return { name: `${url.origin}${url.pathname}`, kind: 'url', read: () => fetchText(url) };
}

/** A redirect is an error: it could lead to plain http. */
async function fetchText(url: URL): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    throw new Error(`it answers HTTP status ${response.status}`);
  }
  return await readBounded(response.body);
}

async function readBounded(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const read: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxSizeBytes) throw new Error(`it is longer than ${maxSizeBytes} bytes`);
    read.push(chunk);
  }
  return Buffer.concat(read).toString('utf8');
}
