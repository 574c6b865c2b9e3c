import type { ServerResponse } from 'node:http';
import { constants, type Http2ServerResponse } from 'node:http2';
import type { CountedHttp1Request, CountedHttp2Request } from './counted-requests.ts';

/** A request of HTTP/1.1 or HTTP/2. */
export type HttpRequest = CountedHttp1Request | CountedHttp2Request;

/** The response to an `HttpRequest`. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** Returns whether the connection is HTTP/2. */
export function isHttp2(request: HttpRequest): request is CountedHttp2Request {
  return 'stream' in request;
}

/**
 * Ends an exchange whose caller still sends or does not read: closes the connection of HTTP/1.1, or resets the stream. After a
 * complete answer the code is NO_ERROR (RFC 9113, section 8.1).
 */
export function breakOff(request: HttpRequest, response: HttpResponse): void {
  const { NGHTTP2_NO_ERROR, NGHTTP2_ENHANCE_YOUR_CALM } = constants;
  if (!isHttp2(request)) request.socket.destroy();
  else if (!request.stream.closed)
    request.stream.close(response.writableFinished ? NGHTTP2_NO_ERROR : NGHTTP2_ENHANCE_YOUR_CALM);
}

/** Returns the path of a request without its query. */
export function pathOf({ url = '' }: HttpRequest): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** Returns the value of a header, with repeated ones joined by Node; undefined if it is absent or a list of values. */
export function headerOf({ headers }: HttpRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
