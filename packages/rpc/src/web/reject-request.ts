import type { HttpRequest, HttpResponse } from './http-messages.ts';
import type { RequestForm } from './request-form.ts';
import type { WebMethod } from './web-methods.ts';

/** Code and message of a rejection by its HTTP status. */
const rejections: Readonly<Record<number, (request: HttpRequest) => { code: string; message: string }>> = {
  404: () => ({ code: 'unimplemented', message: 'there is no such method' }),
  405: ({ method }) => ({ code: 'unknown', message: `the method is not called by ${method}` }),
  415: () => ({ code: 'unknown', message: 'the content type is not one of this method' }),
  505: () => ({ code: 'unknown', message: 'a bidirectional stream needs HTTP/2' }),
};

/** Returns the HTTP status that rejects a request; undefined for a call of a method. */
export function rejectionOf(
  request: HttpRequest,
  method: WebMethod | undefined,
  form: RequestForm | undefined,
): number | undefined {
  if (!method) return 404;
  if (request.method !== 'POST' && request.method !== 'GET') return 405;
  return form ? undefined : 415;
}

/**
 * Answers a request that reaches no method: one of Connect with the error of a unary call (Unary-Response), whose code is the one
 * that clients derive from the HTTP status, and others with a text. Clients of gRPC-Web read no body of such an answer.
 */
export function sendRejection(
  request: HttpRequest,
  response: HttpResponse,
  status: number,
  method: WebMethod | undefined,
  form: RequestForm | undefined,
): void {
  const rejection = rejections[status]?.(request);
  const isConnect = form?.protocol === 'connect';
  response.statusCode = status;
  if (status === 405 && method) response.setHeader('allow', method.handle.allowedMethods.join(', '));
  response.setHeader('content-type', isConnect ? 'application/json' : 'text/plain; charset=utf-8');
  response.end(isConnect ? JSON.stringify(rejection) : (rejection?.message ?? ''));
}
