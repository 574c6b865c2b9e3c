import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { constants, type Http2Session, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { incomingStreamOf, maxHeaderListBytes } from './incoming-streams.ts';

/** A symbol property: a WeakSet of all sessions would cost the garbage collector more. */
const authenticated = Symbol('an authenticated caller has called');

interface MarkedSession extends Http2Session {
  [authenticated]?: true;
}

/** Marks a connection as one on which a call was authenticated. */
export function markAuthenticated(session: Http2Session | undefined): void {
  if (session) (session as MarkedSession)[authenticated] = true;
}

function isAuthenticated(session: Http2Session): boolean {
  return (session as MarkedSession)[authenticated] === true;
}

/** The open streams of an unauthenticated connection. */
interface Connection {
  readonly session: ServerHttp2Session;
  sizeBytes: number;
}

/** Memory of an open stream in addition to its header list: the objects of Node and grpc-js. */
const streamBytes = 20 * 1024;
const limitBytes = 32 * 1024 * 1024;

const [created, closed] = ['http2.server.stream.created', 'http2.server.stream.close'];

/**
 * Limits the memory of all unauthenticated connections of a server to 32 MiB. It counts their open streams and the bytes
 * of their header lists. Above the limit it closes the connection that holds the most, so that callers that only open
 * streams, or never read their answers, cannot fill the heap. A connection is no longer counted after the first
 * authenticated call on it.
 *
 * @param port The local port of the server.
 * @param protocol The protocol of the port: gRPC, or those of a web port.
 */
export function limitUnauthenticatedConnections(port: number, protocol: 'grpc' | 'web'): { stop(): void } {
  const isWeb = protocol === 'web';
  const connections = new Map<ServerHttp2Session, Connection>();
  const sizes = new WeakMap<ServerHttp2Stream, { connection: Connection; sizeBytes: number }>();
  let totalBytes = 0;

  const remove = (connection: Connection) => {
    totalBytes -= connection.sizeBytes;
    connections.delete(connection.session);
  };
  const add = (connection: Connection, sizeBytes: number) => {
    connection.sizeBytes += sizeBytes;
    if (connections.has(connection.session)) totalBytes += sizeBytes;
  };
  const closeLargest = () => {
    for (const each of connections.values()) if (isAuthenticated(each.session)) remove(each);
    if (totalBytes <= limitBytes) return;
    const [largest] = [...connections.values()].sort((a, b) => b.sizeBytes - a.sizeBytes);
    if (!largest) return;
    remove(largest);
    // This runs in a callback of nghttp2, which must return first.
    process.nextTick(() => largest.session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM));
  };
  const onCreated = (message: unknown) => {
    const { stream } = message as { stream: ServerHttp2Stream };
    const session = stream.session as ServerHttp2Session | undefined;
    const incoming = incomingStreamOf(stream);
    if (!session || !incoming || isAuthenticated(session)) return;
    let connection = connections.get(session);
    if (!connection) {
      if (incoming.connection.port !== port || incoming.connection.isWeb !== isWeb) return;
      const added = { session, sizeBytes: 0 };
      connection = added;
      connections.set(session, added);
      session.once('close', () => {
        if (connections.has(session)) remove(added);
      });
    }
    const sizeBytes = streamBytes + Math.min(incoming.headerListBytes, maxHeaderListBytes);
    sizes.set(stream, { connection, sizeBytes });
    add(connection, sizeBytes);
    if (totalBytes > limitBytes) closeLargest();
  };
  const onClosed = (message: unknown) => {
    const { stream } = message as { stream: ServerHttp2Stream };
    const counted = sizes.get(stream);
    if (counted) add(counted.connection, -counted.sizeBytes);
  };
  subscribe(created, onCreated);
  subscribe(closed, onClosed);
  return {
    stop: () => {
      unsubscribe(created, onCreated);
      unsubscribe(closed, onClosed);
    },
  };
}
