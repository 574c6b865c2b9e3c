import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { maxHeaderListBytes } from '../grpc-js/sessions/incoming-streams.ts';
import { CountedHttp2Request } from './counted-requests.ts';
import type { HttpRequest, HttpResponse } from './http-messages.ts';
import type { WebLimits } from './web-limits.ts';

/** Share of the maximum age by which the age of a connection varies, so that clients do not return together. */
const ageJitter = 0.1;

/** Creates the HTTP/2 part of a web port. It does not listen: it gets its connections as `connection` events. */
export function createHttp2Part(
  limits: WebLimits,
  onRequest: (request: HttpRequest, response: HttpResponse) => void,
): Http2Server {
  const server = createServer({
    Http2ServerRequest: CountedHttp2Request,
    settings: { maxConcurrentStreams: limits.maxConcurrentStreams, maxHeaderListSize: maxHeaderListBytes },
    // Otherwise Node drops a header that ends in a space.
    strictFieldWhitespaceValidation: false,
  });
  // By itself Node answers requests of the other two kinds without a reset of their open streams.
  for (const event of ['request', 'connect', 'checkExpectation']) server.on(event, onRequest);
  server.on('session', (session) => limitSession(session, limits));
  // Node has ended the session by then.
  server.on('sessionError', () => {});
  return server;
}

/** Closes a connection that is idle, too old, or does not answer pings. */
function limitSession(session: ServerHttp2Session, limits: WebLimits): void {
  let openStreams = 0;
  let pingTimer: NodeJS.Timeout | undefined;
  const close = () => session.close();
  let idle = setTimeout(close, limits.maxIdleMs);
  const ageMs = limits.maxAgeMs * (1 + ageJitter * (2 * Math.random() - 1));
  let age = setTimeout(() => {
    close();
    age = setTimeout(() => session.destroy(), limits.maxAgeGraceMs);
  }, ageMs);
  const pings = setInterval(() => {
    if (pingTimer || session.destroyed) return;
    pingTimer = setTimeout(() => session.destroy(), limits.pingTimeoutMs);
    session.ping(() => {
      clearTimeout(pingTimer);
      pingTimer = undefined;
    });
  }, limits.pingIntervalMs);
  session.on('stream', (stream) => {
    openStreams++;
    clearTimeout(idle);
    stream.once('close', () => {
      openStreams--;
      if (openStreams === 0 && !session.closed) idle = setTimeout(close, limits.maxIdleMs);
    });
  });
  session.once('close', () => {
    clearInterval(pings);
    for (const timer of [idle, age, pingTimer]) clearTimeout(timer);
  });
}
