import { subscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';

/** A property of its own on each stream: a WeakMap of all of them costs the garbage collector more than the call. */
const receivedHeaders = Symbol('received headers');

interface StreamWithHeaders extends ServerHttp2Stream {
  [receivedHeaders]?: IncomingHttpHeaders;
}

let isKeeping = false;

/**
 * Keeps the header list of every HTTP/2 stream that a server of this process receives from now on, as it arrived:
 * grpc-js drops entries that it cannot represent, and those that it uses.
 */
export function keepReceivedHeaders(): void {
  if (isKeeping) return;
  isKeeping = true;
  subscribe('http2.server.stream.created', (message) => {
    const { stream, headers } = message as { stream: StreamWithHeaders; headers: IncomingHttpHeaders };
    stream[receivedHeaders] = headers;
  });
}

export function receivedHeader(stream: ServerHttp2Stream, key: string): string | string[] | undefined {
  return (stream as StreamWithHeaders)[receivedHeaders]?.[key];
}
