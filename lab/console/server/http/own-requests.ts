import type { IncomingMessage } from 'node:http';
import { callPrefix } from './call-proxy.ts';
import { HttpError } from './http-error.ts';

/**
 * Throws unless a request is the page's own, or that of a program on this machine. The console kills processes and signs
 * tokens, so that no other page may use it:
 *
 * - Its host must be a loopback name, with the port that browsers use. A foreign name that resolves to loopback (DNS
 *   rebinding) is rejected.
 * - To the API and the services, a browser's request must come from the page itself, by `Origin` and `Sec-Fetch-Site`.
 * - A change is a POST with JSON, which no form can send, and a foreign script only after a preflight, which is rejected. A
 *   call of a service has a token instead.
 *
 * @param path Path of the request, without `..`, as it is routed.
 * @param port The port that browsers use.
 * @throws HttpError 421, 403, 405 or 415.
 */
export function requireOwnRequest(request: IncomingMessage, path: string, port: number): void {
  const { method = '', headers } = request;
  const { host = '', origin } = headers;
  if (!isHost(host, loopbackNames, port)) throw new HttpError(421, `the console is at 127.0.0.1:${port}`);
  const isCall = path.startsWith(callPrefix);
  if (isCall || path.startsWith('/api/')) {
    const site = headers['sec-fetch-site'] ?? 'none';
    const isForeign =
      (origin !== undefined && origin !== `http://${host}`) ||
      !['same-origin', 'none'].includes(site as string);
    if (isForeign) throw new HttpError(403, 'other pages cannot use the console');
  }
  if (method === 'GET') return;
  if (method !== 'POST') throw new HttpError(405, `${method} is not supported`);
  if (isCall) return;
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/json')
    throw new HttpError(415, 'the content type must be application/json');
}

export const loopbackNames: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** Whether a header `Host` is one of the names, with the port. */
export function isHost(host: string, names: readonly string[], port: number): boolean {
  return names.some((name) => host === `${name}:${port}` || (port === 80 && host === name));
}
