import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { HttpError } from './http-error.ts';

/** Web ports whose certificates browsers do not trust, so that the page calls them through the console. */
export interface CallProxy extends Disposable {
  /**
   * Forwards `/call/NAME/…` to the web port of the service NAME, and streams the answer.
   *
   * @throws HttpError 404 for an unknown service.
   */
  forward(url: URL, request: IncomingMessage, response: ServerResponse): void;
}

export const callPrefix = '/call/';

/** Connections to one service. */
const maxSockets = 50;
/** Headers of one hop (RFC 9110, 7.6.1), and those of the page's own origin. */
const notForwarded = [
  'connection',
  'keep-alive',
  'host',
  'origin',
  'referer',
  'transfer-encoding',
  'upgrade',
];

/**
 * @param urls Web ports by the name of the service: `https://orders:8051`.
 * @param authority Certificate of their authority, in PEM.
 */
export function createCallProxy(urls: Readonly<Record<string, string>>, authority: string): CallProxy {
  const agent = new Agent({ ca: authority, keepAlive: true, maxSockets });
  const forward: CallProxy['forward'] = ({ pathname, search }, request, response) => {
    const [, name = '', path = ''] = /^\/call\/([^/]+)(\/.*)/.exec(pathname) ?? [];
    const target = urls[name];
    if (target === undefined) throw new HttpError(404, `there is no service ${name}`);
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([header]) => !notForwarded.includes(header)),
    );
    const { method = 'GET' } = request;
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
    request.pipe(called);
  };
  return { forward, [Symbol.dispose]: () => agent.destroy() };
}
