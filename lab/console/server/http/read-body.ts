import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { HttpError } from './http-error.ts';

const inflate = promisify(gunzip);

/**
 * Reads the body of a request, inflated if it is compressed with gzip.
 *
 * @param maxBytes Limit of the body, as it is sent and inflated.
 * @throws HttpError 413 beyond the limit, 415 for another encoding, 400 for invalid gzip.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw new HttpError(415, `content-encoding ${encoding} is not supported: use gzip, or none`);
  const tooLarge = new HttpError(413, `the body is larger than ${maxBytes} bytes`);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (encoding === 'identity') return body;
  return inflate(body, { maxOutputLength: maxBytes }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge : new HttpError(400, 'the body is not gzip');
  });
}

/**
 * Parses a JSON body.
 *
 * @throws HttpError 400 if it is not JSON.
 */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new HttpError(400, 'the body is not JSON');
  }
}
