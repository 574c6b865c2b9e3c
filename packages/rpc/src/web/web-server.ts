import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { markWebSession, maxHeaderListBytes } from '../grpc-js/sessions/incoming-streams.ts';
import { limitUnauthenticatedConnections } from '../grpc-js/sessions/unauthenticated-connections.ts';
import { createFairShare, streamOvercommitFactor } from '../limits/fair-share.ts';
import type { ServerTls } from '../tls/server-credentials.ts';
import { CountedHttp1Request } from './counted-requests.ts';
import { type HttpRequest, type HttpResponse, isHttp2 } from './http-messages.ts';
import { createHttp2Part } from './http2-sessions.ts';
import { detectProtocol } from './protocol-of-socket.ts';
import { serveInSlices } from './serve-in-slices.ts';
import { type WebLimits, webLimits } from './web-limits.ts';

export interface WebServerOptions {
  /** Host and port; port 0 means a free port. A path is a Unix socket. */
  readonly listen: { readonly host: string; readonly port: number } | { readonly path: string };
  /**
   * The certificate of the server. Plain text when absent. Callers need none, also with mTLS: browsers have none, and a token
   * authenticates each call.
   */
  readonly tls?: ServerTls | undefined;
  readonly onRequest: (request: HttpRequest, response: HttpResponse) => void;
  readonly limits?: Partial<WebLimits> | undefined;
}

export interface WebServer {
  /** The local port; 1 on a Unix socket. */
  readonly port: number;
  /** Accepts no more connections, and waits for the calls in flight. Those that are not finished within `timeoutMs` are cut off. */
  close(timeoutMs: number): Promise<void>;
}

const unixPort = 1;
/** Maximum number of headers of an HTTP/1.1 request. Short ones take far more memory than bytes, also in an unfinished list. */
const maxHeaders = 128;
/** Interval at which limits in time of HTTP/1.1 connections are enforced. */
const checkEveryMs = 1000;
const closePollMs = 20;
/** Time for HTTP/2 clients to close their connections at the end of a drain. */
const goodbyeMs = 1000;

/**
 * Listens for HTTP/1.1 and HTTP/2 on one port: by the first bytes of a connection in plain text, by ALPN with TLS.
 *
 * @throws Error when the address cannot be bound.
 */
export async function startWebServer({
  listen,
  tls,
  onRequest,
  ...options
}: WebServerOptions): Promise<WebServer> {
  const limits = { ...webLimits, ...options.limits };
  let isClosing = false;
  const http1Options = {
    IncomingMessage: CountedHttp1Request,
    maxHeaderSize: maxHeaderListBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(checkEveryMs, limits.headersTimeoutMs),
    keepAlive: true,
    keepAliveInitialDelay: limits.pingIntervalMs,
  };
  const inFlight = countInFlight();
  const onCounted = (request: HttpRequest, response: HttpResponse) => {
    inFlight.add(request, response);
    onRequest(request, response);
  };
  const onHttp1Request = (request: CountedHttp1Request, response: ServerResponse) => {
    if (isPipelined(request.socket, response)) return request.socket.destroy();
    if (isClosing || isTooOld(request.socket, limits.maxAgeMs)) response.setHeader('connection', 'close');
    return onCounted(request, response);
  };
  const server: Server = tls
    ? createSecureServer(
        {
          ...http1Options,
          handshakeTimeout: limits.handshakeTimeoutMs,
          ...tls.files.current.contextOptions,
          ALPNProtocols: ['h2', 'http/1.1'],
        },
        onHttp1Request,
      )
    : createServer(http1Options, onHttp1Request);
  server.maxHeadersCount = maxHeaders;
  const http2 = createHttp2Part(limits, onCounted);
  const sessions = new Set<ServerHttp2Session>();
  http2.on('session', (session) => {
    markWebSession(session);
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });

  const serveHttp1 = takeListener(server, tls ? 'secureConnection' : 'connection');
  const serveSocket = (socket: Socket, protocol: string, received?: Buffer) => {
    if (isClosing) return socket.destroy();
    started.set(socket, performance.now());
    if (protocol !== 'h2') return received ? serveInSlices(socket, received, serveHttp1) : serveHttp1(socket);
    // An HTTP/1.1 connection may be half-closed.
    socket.allowHalfOpen = false;
    return http2.emit('connection', socket);
  };
  if (tls)
    server.on('secureConnection', (socket: TLSSocket) =>
      serveSocket(socket, socket.alpnProtocol || 'http/1.1'),
    );
  const accept = tls
    ? takeListener(server, 'connection')
    : (socket: Socket) =>
        detectProtocol(socket, limits.handshakeTimeoutMs, (protocol, received) =>
          serveSocket(socket, protocol, received),
        );
  const sockets = admitConnections(server, limits.maxConnections, accept);
  await once(server.listen({ ...listen }), 'listening');
  const stopFollowing = tls?.follow((contextOptions) => {
    if ('setSecureContext' in server) (server as SecureServer).setSecureContext(contextOptions);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? (address as AddressInfo).port : unixPort;
  const unauthenticatedConnections = limitUnauthenticatedConnections(port, 'web');
  return {
    port,
    close: async (timeoutMs) => {
      isClosing = true;
      stopFollowing?.();
      server.close();
      for (const session of sessions) session.close();
      const endMs = performance.now() + timeoutMs;
      await until(() => {
        server.closeIdleConnections();
        return inFlight.count() === 0;
      }, endMs);
      // The rest of the connections sends nothing, or a part of a request. HTTP/2 clients close theirs when they are told to.
      await until(() => sessions.size === 0, Math.min(endMs, performance.now() + goodbyeMs));
      for (const socket of sockets) socket.destroy();
      unauthenticatedConnections.stop();
    },
  };
}

type SecureServer = ReturnType<typeof createSecureServer>;

/** Waits until a condition holds, or until the time by `performance.now()`. */
async function until(holds: () => boolean, endMs: number): Promise<void> {
  while (!holds() && performance.now() < endMs) await sleep(closePollMs);
}

/** Counts the requests that are being read or answered, over both versions of HTTP. */
function countInFlight() {
  const open = new Set<HttpRequest | HttpResponse>();
  // Node does not close a request whose connection ends after the answer and before the end of the body.
  const releaseWithSocket = (request: CountedHttp1Request) => {
    if (!open.has(request)) return;
    const { socket } = request;
    const release = () => open.delete(request);
    if (socket.destroyed) release();
    socket.once('close', release);
    request.once('close', () => socket.off('close', release));
  };
  return {
    count: () => open.size,
    add: (request: HttpRequest, response: HttpResponse) => {
      for (const message of [request, response]) {
        open.add(message);
        message.once('close', () => open.delete(message));
      }
      if (!isHttp2(request)) response.once('close', () => releaseWithSocket(request));
    },
  };
}

/**
 * Closes connections over the limit at once: those of addresses that have their share. A slow client holds a connection of
 * its own, so without the share it could keep all others out. Calls `accept` for the others. Returns the open connections.
 */
function admitConnections(
  server: Server,
  maxConnections: number,
  accept: (socket: Socket) => void,
): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  const byAddress = createFairShare();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    socket.on('error', () => {});
    if (!byAddress.hasRoom(remoteAddress, maxConnections, streamOvercommitFactor)) return socket.destroy();
    open.add(socket);
    byAddress.add(remoteAddress);
    socket.once('close', () => {
      open.delete(socket);
      byAddress.remove(remoteAddress);
    });
    return accept(socket);
  });
  return open;
}

/** Removes Node's own listener of an event, and returns it. It is called later, or for some of the connections. */
function takeListener(server: Server, event: 'connection' | 'secureConnection'): (socket: Socket) => void {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  return (socket) => {
    for (const listener of listeners) listener.call(server, socket);
  };
}

/** Start of each connection, after its handshake, by `performance.now()`. */
const started = new WeakMap<Socket, number>();

function isTooOld(socket: Socket, maxAgeMs: number): boolean {
  return performance.now() - (started.get(socket) ?? performance.now()) > maxAgeMs;
}

/** The last response of each HTTP/1.1 connection. */
const responses = new WeakMap<Socket, ServerResponse>();

/** Returns whether the caller sends requests before it has the answer to the one before. Browsers do not. */
function isPipelined(socket: Socket, response: ServerResponse): boolean {
  const previous = responses.get(socket);
  responses.set(socket, response);
  return previous !== undefined && !previous.writableEnded;
}
