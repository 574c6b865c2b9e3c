import { subscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';

/**
 * The header list of a call as it arrived. grpc-js drops entries that it cannot represent, and those that it uses.
 */
const received = new WeakMap<ServerHttp2Stream, IncomingHttpHeaders>();
let isKeeping = false;

/** Keeps the headers of every HTTP/2 stream that a server of this process receives from now on. */
export function keepReceivedHeaders(): void {
  if (isKeeping) return;
  isKeeping = true;
  subscribe('http2.server.stream.created', (message) => {
    const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
    received.set(stream, headers);
  });
}

export function receivedHeader(stream: ServerHttp2Stream, key: string): string | string[] | undefined {
  return received.get(stream)?.[key];
}
