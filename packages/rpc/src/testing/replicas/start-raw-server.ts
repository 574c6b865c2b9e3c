import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface RawServer extends AsyncDisposable {
  readonly target: string;
  /** The connections so far. */
  readonly sessions: readonly ServerHttp2Session[];
  /** The headers of each attempt so far. */
  readonly attempts: readonly IncomingHttpHeaders[];
}

/**
 * Starts an HTTP/2 server that answers every call with the headers that `answer` returns. When it returns undefined, the
 * test answers on the stream itself.
 */
export async function startRawServer(
  answer: (headers: IncomingHttpHeaders, stream: ServerHttp2Stream) => OutgoingHttpHeaders | undefined,
): Promise<RawServer> {
  const sessions: ServerHttp2Session[] = [];
  const attempts: IncomingHttpHeaders[] = [];
  const server = createServer();
  server.on('session', (session) => {
    session.on('error', () => {});
    sessions.push(session);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    attempts.push(headers);
    stream.on('error', () => {});
    const status = answer(headers, stream);
    if (!status) return;
    const response = { ':status': 200, 'content-type': 'application/grpc', ...status };
    stream.respond(response, { endStream: true });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    attempts,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A response that no gRPC server would send. */
export interface RawResponse {
  /** Headers in addition to, or in place of, those of a gRPC response. */
  readonly headers?: OutgoingHttpHeaders;
  /** The body, with its message frames. */
  readonly body?: Uint8Array;
  /** Without trailers the stream ends after the body. */
  readonly trailers?: OutgoingHttpHeaders;
}

/** Sends a response unchanged. */
export function respondRaw(stream: ServerHttp2Stream, { headers, body, trailers }: RawResponse): undefined {
  const response = { ':status': 200, 'content-type': 'application/grpc', ...headers };
  stream.respond(response, { waitForTrailers: trailers !== undefined });
  if (trailers) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
  return undefined;
}
