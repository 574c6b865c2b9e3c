import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** A request of HTTP/1.1 or HTTP/2. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** The response to an `HttpRequest`. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** Returns whether the connection is HTTP/2. */
export function isHttp2(request: HttpRequest): request is Http2ServerRequest {
  return 'stream' in request;
}

/** Returns the path of a request without its query. */
export function pathOf({ url = '' }: HttpRequest): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** Returns the value of a header that is sent once; undefined if it is absent or repeated. */
export function headerOf({ headers }: HttpRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
