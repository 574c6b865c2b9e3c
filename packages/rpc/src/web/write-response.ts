import type { Writable } from 'node:stream';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import type { HttpResponse } from './http-messages.ts';

/** Counts the bytes that wait in this process for the caller to read them. */
interface ByteHolder {
  hold(sizeBytes: number): void;
  release(sizeBytes: number): void;
}

/** Sets the status and the headers of a response, unless they have been sent. */
export function setHead(response: HttpResponse, status: number, headers: Headers | undefined): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  for (const [name, value] of headers ?? []) response.setHeader(name, value);
}

/** Sends the headers now. */
export function flushHead(response: HttpResponse): void {
  if (response.headersSent || response.destroyed) return;
  if ('flushHeaders' in response) response.flushHeaders();
  else response.writeHead(response.statusCode);
}

/**
 * Size up to which bytes are written at once. It is below Node's high-water mark of 64 KiB: Node pauses the parser of a
 * connection above it, and with TLS it then breaks off a request that arrives before it has noticed that the answer to the
 * previous one has left ("Parse Error: Paused").
 */
const pieceBytes = 32 * 1024;

/**
 * Writes a response, and returns when it is complete or the caller is gone. It reads the next part when the one before has left
 * this process. connect-node's own function counts no bytes, and waits without an end for a caller that has left.
 */
export async function writeResponse(
  { status, header, body }: UniversalServerResponse,
  response: HttpResponse,
  holder: ByteHolder | undefined,
): Promise<void> {
  for await (const part of body ?? []) {
    setHead(response, status, header);
    holder?.hold(part.length);
    const isOnly = header?.has('content-length') ?? false;
    let start = 0;
    for (; part.length - start > pieceBytes; start += pieceBytes)
      await written(response, part.subarray(start, start + pieceBytes));
    const last = part.subarray(start);
    // Written apart from the end, an only part would let the caller send its next request before the end.
    if (isOnly) await written(response, last, 'end');
    else if (last.length > 0) await written(response, last);
    holder?.release(part.length);
    if (isGone(response)) return;
  }
  setHead(response, status, header);
  response.end();
}

/** Writes bytes, possibly the last. Resolves when they have left this process, or the caller is gone. */
function written(
  response: HttpResponse,
  bytes: Uint8Array,
  method: 'write' | 'end' = 'write',
): Promise<void> {
  if (isGone(response)) return Promise.resolve();
  return new Promise((resolve) => {
    response.once('close', resolve);
    (response as Writable)[method](bytes, () => {
      response.off('close', resolve);
      resolve();
    });
  });
}

function isGone(response: HttpResponse): boolean {
  return response.destroyed || response.writableEnded;
}
