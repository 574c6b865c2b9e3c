import { createContextValues } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { hasRequestStream } from '../call/method-kind.ts';
import { unflushedMs } from '../incoming/incoming-call.ts';
import { breakOff, type HttpRequest, type HttpResponse, isHttp2, pathOf } from './http-messages.ts';
import { openRequest } from './open-request.ts';
import { rejectionOf, sendRejection } from './reject-request.ts';
import { protocolHeaders, requestForm, standInBody, standInUrl } from './request-form.ts';
import { WebCall, type WebCallOptions } from './web-call.ts';
import { type WebMethod, webCallKey } from './web-methods.ts';
import { writeResponse } from './write-response.ts';

export interface ServeRequestOptions {
  readonly methods: ReadonlyMap<string, WebMethod>;
  readonly cors: (request: HttpRequest, response: HttpResponse) => boolean;
  readonly callOptions: WebCallOptions;
  /** Called for a request that did not reach a chain, with its HTTP status. */
  readonly onUnhandled: (request: HttpRequest, startMs: number, httpStatus: number) => void;
  readonly log: Logger;
}

/** Returns the listener of requests of both versions of HTTP. */
export function serveRequests(
  options: ServeRequestOptions,
): (request: HttpRequest, response: HttpResponse) => void {
  return (request, response) => {
    // Without a listener an error of a caller's connection would be an uncaught one. `close` follows it.
    request.on('error', () => {});
    response.on('error', () => {});
    serve(request, response, options).catch((error: unknown) => {
      options.log.error({ err: error }, 'a web request could not be answered');
      response.destroy();
    });
  };
}

async function serve(
  request: HttpRequest,
  response: HttpResponse,
  options: ServeRequestOptions,
): Promise<void> {
  const startMs = performance.now();
  response.setHeader('x-content-type-options', 'nosniff');
  if (options.cors(request, response)) return discard(request, response);
  const method = options.methods.get(pathOf(request));
  const form = requestForm(request);
  const rejection = rejectionOf(request, method, form);
  if (rejection !== undefined || !method || !form) {
    options.onUnhandled(request, startMs, rejection ?? 404);
    sendRejection(request, response, rejection ?? 404, method, form);
    return discard(request, response);
  }
  if (hasRequestStream(method.served[form.protocol].desc)) request.chunkCount.allowStream();
  const call = new WebCall(method.served[form.protocol], request, response, form, options.callOptions);
  let opened: ReturnType<typeof openRequest> | undefined;
  call.request = () => (opened ??= openRequest(call));
  const answer = await method.handle({
    httpVersion: request.httpVersion,
    url: standInUrl(pathOf(request), form),
    method: request.method ?? '',
    header: protocolHeaders(request, form),
    body: standInBody(call.method, form),
    signal: new AbortController().signal,
    contextValues: createContextValues().set(webCallKey, call),
  });
  if (!call.isStarted) options.onUnhandled(request, startMs, answer.status);
  // The library rejects the form of some requests, without a body.
  if (answer.body === undefined && answer.status >= 400)
    sendRejection(request, response, answer.status, method, form);
  else await writeResponse(answer, response, call);
  if (call.isStarted && isHttp2(request)) request.resume();
  else discard(request, response);
}

/**
 * Reads and drops the rest of a request that has been answered. Closing the connection at once would reset it, and the caller
 * could lose the answer. A caller that still sends after 2 s, or has not read the answer of an HTTP/2 stream, is broken off. The
 * HTTP/2 stream of a call that has run is reset with the call.
 */
function discard(request: HttpRequest, response: HttpResponse): void {
  request.resume();
  if (isHttp2(request) ? request.stream.destroyed : request.complete) return;
  const timer = setTimeout(() => breakOff(request, response), unflushedMs).unref();
  request.once('close', () => clearTimeout(timer));
}
