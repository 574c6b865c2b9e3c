import { subscribe } from 'node:diagnostics_channel';
import { constants, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { headerEntryBytes } from '../../errors/header-entry.ts';

/**
 * Facts about an HTTP/2 stream from its header list. grpc-js drops entries that it cannot represent or that it uses. The
 * list itself is not kept, because it would live as long as the stream.
 */
export interface IncomingStream {
  readonly path: string;
  /** Value of `grpc-timeout`. */
  readonly timeout: string | undefined;
  /** Value of `grpc-encoding`. */
  readonly encoding: string | undefined;
  /** HTTP status that rejects a request which is not gRPC; undefined for a gRPC request. See `httpRejection`. */
  readonly httpRejection: number | undefined;
  /** Whether there is an `authorization` entry, valid or not. */
  readonly hasAuthorization: boolean;
  /** Size as HTTP/2 counts it, see `headerEntryBytes`. */
  readonly headerListBytes: number;
  /** Time of arrival by `performance.now()`. */
  readonly startMs: number;
  readonly connection: Connection;
}

interface Connection {
  /** Local port; 1 on a Unix socket, as in grpc-js. */
  readonly port: number;
  /** Whether it is a connection of a web port. On Unix sockets both ports of a server have the number 1. */
  readonly isWeb: boolean;
  readonly peer: string;
}

/** Symbol properties: a WeakMap of all streams would cost the garbage collector more than the call. */
const incoming = Symbol('incoming stream');
const connection = Symbol('connection');
const webSession = Symbol('session of a web port');

type MarkedStream = ServerHttp2Stream & { [incoming]?: IncomingStream };
type MarkedSession = Http2Session & { [connection]?: Connection; [webSession]?: true };

/**
 * Size of a header list above which Node resets the stream, once the caller has acknowledged the limit. Metadata between
 * 16 KiB and this limit is rejected with a status that gives the reason.
 */
export const maxHeaderListBytes = 32 * 1024;

const unixPort = 1;
let isRecording = false;

/** Records every HTTP/2 stream that the servers of this process receive from now on. */
export function recordIncomingStreams(): void {
  if (isRecording) return;
  isRecording = true;
  subscribe('http2.server.stream.created', (message) => {
    const { stream, headers } = message as { stream: MarkedStream; headers: IncomingHttpHeaders };
    if (!stream.session) return;
    const headerListBytes = sizeOf(headers);
    const connection = connectionOf(stream.session);
    stream[incoming] = {
      path: headers[':path'] ?? '',
      timeout: headers['grpc-timeout'] as string | undefined,
      encoding: headers['grpc-encoding'] as string | undefined,
      httpRejection: httpRejection(headers),
      hasAuthorization: headers.authorization !== undefined,
      headerListBytes,
      startMs: performance.now(),
      connection,
    };
    if (headerListBytes > maxHeaderListBytes) dropMetadata(headers);
  });
}

/** Marks a connection as one of a web port, before its first stream. */
export function markWebSession(session: Http2Session): void {
  (session as MarkedSession)[webSession] = true;
}

export function incomingStreamOf(stream: ServerHttp2Stream): IncomingStream | undefined {
  return (stream as MarkedStream)[incoming];
}

/** The content types that are served, without parameters. grpc-js serves everything that begins with `application/grpc`. */
const contentTypes = new Set(['application/grpc', 'application/grpc+proto']);

/**
 * Returns 405 for a method other than POST and 415 for a content type other than protobuf over gRPC. gRPC's HTTP/2
 * protocol requires POST, and names 415 for content types; grpc-go answers 405.
 */
function httpRejection({ ':method': method, 'content-type': contentType = '' }: IncomingHttpHeaders) {
  if (method !== 'POST') return constants.HTTP_STATUS_METHOD_NOT_ALLOWED;
  if (contentTypes.has(contentType) || contentTypes.has(contentType.split(';')[0]?.trim() ?? ''))
    return undefined;
  return constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE;
}

/** Returns the connection of a session. Cached, because Node exposes the socket through a slow proxy. */
function connectionOf(session: MarkedSession): Connection {
  session[connection] ??= readConnection(session);
  return session[connection];
}

function readConnection(session: MarkedSession): Connection {
  const { localPort = unixPort, remoteAddress, remotePort } = session.socket;
  return {
    port: localPort,
    isWeb: session[webSession] === true,
    peer: remoteAddress === undefined ? 'unknown' : `${remoteAddress}:${remotePort}`,
  };
}

function sizeOf(headers: IncomingHttpHeaders): number {
  let sizeBytes = 0;
  for (const key in headers) {
    const value = headers[key];
    sizeBytes += headerEntryBytes(key, typeof value === 'string' ? value.length : String(value).length);
  }
  return sizeBytes;
}

/**
 * Empties a header list that will be rejected for its size, before grpc-js copies it. A repeated entry costs the caller
 * one byte on the wire (HPACK), and takes no memory until it is copied.
 */
function dropMetadata(headers: IncomingHttpHeaders): void {
  for (const key in headers) if (!key.startsWith(':') && key !== 'content-type') delete headers[key];
}
