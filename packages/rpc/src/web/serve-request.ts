import { createContextValues } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { unflushedMs } from '../incoming/incoming-call.ts';
import { type HttpRequest, type HttpResponse, isHttp2, pathOf } from './http-messages.ts';
import { openRequest } from './open-request.ts';
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
  if (options.cors(request, response)) return discard(request);
  const method = options.methods.get(pathOf(request));
  const form = requestForm(request);
  const isKnownVerb = request.method === 'POST' || request.method === 'GET';
  if (!method || !form || !isKnownVerb) {
    const status = !method ? 404 : isKnownVerb ? 415 : 405;
    options.onUnhandled(request, startMs, status);
    if (method && !isKnownVerb) response.setHeader('allow', method.handle.allowedMethods.join(', '));
    return reject(request, response, status);
  }
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
  if (answer.status === 405) response.setHeader('allow', method.handle.allowedMethods.join(', '));
  await writeResponse(answer, response, call);
  discard(request);
}

function reject(request: HttpRequest, response: HttpResponse, status: number): void {
  response.statusCode = status;
  response.end();
  discard(request);
}

/**
 * Reads and drops the rest of a request that has been answered. Closing the connection at once would reset it, and the caller
 * could lose the answer. A caller that still sends after 2 s loses its HTTP/1.1 connection. An HTTP/2 stream is reset with
 * its call.
 */
function discard(request: HttpRequest): void {
  request.resume();
  if (isHttp2(request) || request.complete) return;
  const timer = setTimeout(() => request.socket.destroy(), unflushedMs).unref();
  request.once('close', () => clearTimeout(timer));
}
