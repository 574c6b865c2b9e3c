import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { arrivalOf, maxHeaderListBytes } from './arrivals.ts';
import { isKnownSession } from './known-sessions.ts';

/** Bounds what connections hold on which no caller has been authenticated yet. */
export interface StrangerBudget {
  /** Begins with the connections of this port. */
  start(port: number): void;
  stop(): void;
}

/** A session's open streams. */
interface Session {
  readonly http2: ServerHttp2Session;
  sizeBytes: number;
}

/** What an open stream takes beside its header list: Node's objects, and those of grpc-js. */
const streamBytes = 20 * 1024;
const limitBytes = 32 * 1024 * 1024;

const [created, closed] = ['http2.server.stream.created', 'http2.server.stream.close'];

/**
 * Counts the streams, and the bytes of their header lists, of connections without an authenticated call. Over 32 MiB in
 * all it closes the connection that holds the most: a caller that only opens streams, or never reads what it is
 * answered, cannot fill the heap. A connection is no longer counted once a call on it has been authenticated.
 */
export function createStrangerBudget(): StrangerBudget {
  const sessions = new Map<ServerHttp2Session, Session>();
  const sizes = new WeakMap<ServerHttp2Stream, { session: Session; sizeBytes: number }>();
  let ownPort: number | undefined;
  let totalBytes = 0;

  const forget = (session: Session) => {
    totalBytes -= session.sizeBytes;
    sessions.delete(session.http2);
  };
  const add = (session: Session, sizeBytes: number) => {
    session.sizeBytes += sizeBytes;
    if (sessions.has(session.http2)) totalBytes += sizeBytes;
  };
  const closeLargest = () => {
    for (const session of sessions.values()) if (isKnownSession(session.http2)) forget(session);
    if (totalBytes <= limitBytes) return;
    const [largest] = [...sessions.values()].sort((a, b) => b.sizeBytes - a.sizeBytes);
    if (!largest) return;
    forget(largest);
    // When nghttp2, whose callback this is, has returned.
    process.nextTick(() => largest.http2.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM));
  };
  const onCreated = (message: unknown) => {
    const { stream } = message as { stream: ServerHttp2Stream };
    const http2 = stream.session as ServerHttp2Session | undefined;
    const arrival = arrivalOf(stream);
    if (!http2 || !arrival || isKnownSession(http2)) return;
    let session = sessions.get(http2);
    if (!session) {
      if (arrival.connection.port !== ownPort) return;
      session = { http2, sizeBytes: 0 };
      sessions.set(http2, session);
      const known = session;
      http2.once('close', () => {
        if (sessions.has(http2)) forget(known);
      });
    }
    const sizeBytes = streamBytes + Math.min(arrival.headerListBytes, maxHeaderListBytes);
    sizes.set(stream, { session, sizeBytes });
    add(session, sizeBytes);
    if (totalBytes > limitBytes) closeLargest();
  };
  const onClosed = (message: unknown) => {
    const { stream } = message as { stream: ServerHttp2Stream };
    const held = sizes.get(stream);
    if (held) add(held.session, -held.sizeBytes);
  };
  return {
    start: (port) => {
      ownPort = port;
      subscribe(created, onCreated);
      subscribe(closed, onClosed);
    },
    stop: () => {
      unsubscribe(created, onCreated);
      unsubscribe(closed, onClosed);
    },
  };
}
