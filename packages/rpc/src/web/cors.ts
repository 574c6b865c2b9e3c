import { cors } from '@connectrpc/connect';
import { type HttpRequest, type HttpResponse, headerOf } from './http-messages.ts';

/** Request headers that scripts may send besides those of the protocols: the token, the request id, and the trace. */
const ownRequestHeaders = ['Authorization', 'X-Request-Id', 'Traceparent', 'Tracestate'];
const ownResponseHeaders = ['X-Request-Id'];

/** Time for which a browser may keep the answer to a preflight. Chrome keeps none for longer. */
const preflightSeconds = 7200;

/**
 * Sets the CORS headers of responses, and answers preflights. Returns whether it has answered the request.
 *
 * Origins other than the given ones get no CORS headers, so that a browser withholds the response from their scripts. Their
 * preflights are 403. A call without the headers of a browser is served: a token authenticates it, no cookie does.
 *
 * @param origins Exact origins, or `*` for all.
 */
export function createCors(
  origins: readonly string[],
): (request: HttpRequest, response: HttpResponse) => boolean {
  const permitted = new Set(origins);
  const isOpen = permitted.has('*');
  const methods = cors.allowedMethods.join(', ');
  const requestHeaders = [...cors.allowedHeaders, ...ownRequestHeaders].join(', ');
  const responseHeaders = [...cors.exposedHeaders, ...ownResponseHeaders].join(', ');
  return (request, response) => {
    const origin = headerOf(request, 'origin');
    const isPermitted = isOpen || (origin !== undefined && permitted.has(origin));
    if (!isOpen && permitted.size > 0) response.setHeader('vary', 'Origin');
    if (isPermitted) {
      response.setHeader('access-control-allow-origin', isOpen ? '*' : (origin ?? ''));
      response.setHeader('access-control-expose-headers', responseHeaders);
    }
    if (request.method !== 'OPTIONS') return false;
    if (isPermitted) {
      response.setHeader('access-control-allow-methods', methods);
      response.setHeader('access-control-allow-headers', requestHeaders);
      response.setHeader('access-control-max-age', preflightSeconds);
    }
    response.statusCode = isPermitted ? 204 : 403;
    response.end();
    return true;
  };
}
