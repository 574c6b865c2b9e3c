import { subscribe } from 'node:diagnostics_channel';
import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';

/**
 * An HTTP/2 stream as it arrived. grpc-js drops entries of the header list that it cannot represent or that it uses. The
 * list itself is not kept: it would live for as long as the stream.
 */
export interface Arrival {
  readonly path: string;
  /** Of `grpc-timeout`. */
  readonly timeout: string | undefined;
  /** Whether there is an `authorization` entry, of whatever value. */
  readonly hasAuthorization: boolean;
  /** As HTTP/2 counts it: names, values and 32 bytes each (RFC 9113, section 6.5.2). */
  readonly headerListBytes: number;
  /** Of `performance.now()`. */
  readonly startMs: number;
  readonly connection: Connection;
}

interface Connection {
  /** The port that it came to; 1 on a Unix socket, as grpc-js has it. */
  readonly port: number;
  readonly peer: string;
}

/** Properties of their own: a WeakMap of all streams costs the garbage collector more than the call. */
const arrival = Symbol('arrival');
const connection = Symbol('connection');

type MarkedStream = ServerHttp2Stream & { [arrival]?: Arrival };
type MarkedSession = Http2Session & { [connection]?: Connection };

/**
 * Above it Node resets a stream, of a caller that has acknowledged this limit. Metadata over 16 KiB, which is below it,
 * is refused with a status that says why.
 */
export const maxHeaderListBytes = 32 * 1024;

const unixPort = 1;
let isNoting = false;

/** Notes every HTTP/2 stream that a server of this process receives from now on. */
export function noteArrivals(): void {
  if (isNoting) return;
  isNoting = true;
  subscribe('http2.server.stream.created', (message) => {
    const { stream, headers } = message as { stream: MarkedStream; headers: IncomingHttpHeaders };
    if (!stream.session) return;
    const headerListBytes = sizeOf(headers);
    const connection = connectionOf(stream.session);
    stream[arrival] = {
      path: headers[':path'] ?? '',
      timeout: headers['grpc-timeout'] as string | undefined,
      hasAuthorization: headers.authorization !== undefined,
      headerListBytes,
      startMs: performance.now(),
      connection,
    };
    if (headerListBytes > maxHeaderListBytes) dropMetadata(headers);
  });
}

export function arrivalOf(stream: ServerHttp2Stream): Arrival | undefined {
  return (stream as MarkedStream)[arrival];
}

/** Node shows the socket through a proxy: it is asked once. */
function connectionOf(session: MarkedSession): Connection {
  session[connection] ??= readConnection(session);
  return session[connection];
}

function readConnection({ socket }: Http2Session): Connection {
  const { localPort = unixPort, remoteAddress, remotePort } = socket;
  return {
    port: localPort,
    peer: remoteAddress === undefined ? 'unknown' : `${remoteAddress}:${remotePort}`,
  };
}

function sizeOf(headers: IncomingHttpHeaders): number {
  let sizeBytes = 0;
  for (const key in headers) {
    const value = headers[key];
    sizeBytes += key.length + 32 + (typeof value === 'string' ? value.length : String(value).length);
  }
  return sizeBytes;
}

/**
 * Empties a list that is refused for its size, before grpc-js makes a copy of it. One entry that the caller repeats by
 * reference costs a byte on the wire, and nothing here until it is copied.
 */
function dropMetadata(headers: IncomingHttpHeaders): void {
  for (const key in headers) if (!key.startsWith(':') && key !== 'content-type') delete headers[key];
}
