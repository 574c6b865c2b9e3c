import { createReadStream } from 'node:fs';
import { isJwksUrl, jwksProblem } from './jwks-location.ts';

/** The file or URL that a JWK Set is read from. */
export interface KeySetSource {
  /** For log lines and errors; a URL without its query. */
  readonly name: string;
  readonly kind: 'file' | 'url';
  /** Returns the text of the set. Rejects after 2 s without an answer, and beyond 256 KiB. */
  read(): Promise<string>;
}

/** Sets of real issuers are below 20 kB. */
const maxSizeBytes = 256 * 1024;
const timeoutMs = 2_000;

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
