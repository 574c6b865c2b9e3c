import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { maxStreams } from './event-stream.ts';
import { HttpError } from './http-error.ts';

/** Web ports whose certificates browsers do not trust, so that the page calls them through the console. */
export interface CallProxy extends Disposable {
  /**
   * Forwards `/call/NAME/…` to the web port of the service NAME, and streams the answer.
   *
   * @throws HttpError 404 for an unknown service, and a path that begins with `//`.
   */
  forward(url: URL, request: IncomingMessage, response: ServerResponse): void;
}

export const callPrefix = '/call/';

/** Connections to one service: those of all pages, of which a browser opens six to the console. */
const maxSockets = maxStreams * 6;
/** Headers of a call. Those of one hop, of a browser's cookies and of the page's origin are not for a service. */
const forwarded =
  /^(authorization|content-(type|encoding)|(connect|grpc)-.+|x-(grpc-web|user-agent|request-id)|accept(-.+)?|trace(parent|state))$/;

/**
 * @param urls Web ports by the name of the service: `https://orders:8051`.
 * @param authority Certificate of their authority, in PEM.
 */
export function createCallProxy(urls: Readonly<Record<string, string>>, authority: string): CallProxy {
  const agent = new Agent({ ca: authority, keepAlive: true, maxSockets });
  const targets = new Map(Object.entries(urls));
  const forward: CallProxy['forward'] = ({ pathname, search }, request, response) => {
    // A URL parser takes the text after a second slash for a host.
    const [, name = '', path = ''] = /^\/call\/([^/]+)(\/[^/].*)/.exec(pathname) ?? [];
    const target = targets.get(name);
    if (target === undefined) throw new HttpError(404, `there is no service or method ${pathname}`);
    const { method = 'GET' } = request;
    const headers = headersOf(request);
    const called = httpsRequest(target, { agent, method, headers, path: path + search });
    called.once('response', (answer) => {
      const { connection: _hop, 'transfer-encoding': _coding, ...answered } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, answered);
      answer.pipe(response);
      answer.once('error', () => response.destroy());
    });
    called.once('error', () => {
      // Connect reads 503 as UNAVAILABLE, which the page repeats.
      if (response.headersSent) response.destroy();
      else response.writeHead(503).end();
    });
    response.once('close', () => called.destroy());
    if (method === 'POST') {
      request.pipe(called);
      return;
    }
    // Without a length, the service would read a body as the next request of the connection.
    request.resume();
    called.end();
  };
  return { forward, [Symbol.dispose]: () => agent.destroy() };
}

function headersOf({ method, headers }: IncomingMessage): OutgoingHttpHeaders {
  const { 'content-length': length } = headers;
  const framing = length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': length };
  const kept = Object.entries(headers).filter(([header]) => forwarded.test(header));
  return { ...Object.fromEntries(kept), ...(method === 'POST' && framing) };
}
