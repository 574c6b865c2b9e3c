import { once } from 'node:events';
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
 * Writes a response, and returns when it is complete or the caller is gone. It reads the next part when the caller has room
 * for it. connect-node's own function counts no bytes, and waits without an end for a caller that has left.
 */
export async function writeResponse(
  { status, header, body }: UniversalServerResponse,
  response: HttpResponse,
  holder: ByteHolder | undefined,
): Promise<void> {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  for await (const part of body ?? []) {
    if (isGone(response)) return;
    setHead(response, status, header);
    if (part.length === 0) continue;
    holder?.hold(part.length);
    if (header?.has('content-length')) {
      // The only part. Written apart from the end, it would let the caller send its next request before the end.
      (response as Writable).end(part, () => holder?.release(part.length));
      return;
    }
    const hasRoom = (response as Writable).write(part, () => holder?.release(part.length));
    if (!hasRoom) await once(response, 'drain', { signal: closed.signal }).catch(() => {});
  }
  if (isGone(response)) return;
  setHead(response, status, header);
  response.end();
}

function isGone(response: HttpResponse): boolean {
  return response.destroyed || response.writableEnded;
}
