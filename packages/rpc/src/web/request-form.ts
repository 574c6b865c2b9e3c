import type { MethodInfo, Protocol } from '../call/call-context.ts';
import { hasRequestStream } from '../call/method-kind.ts';
import { isSupportedEncoding } from '../grpc-js/messages/decompress.ts';
import { type HttpRequest, headerOf, pathOf } from './http-messages.ts';

/** The form of a call's messages: how they are framed, compressed and encoded. */
export interface RequestForm {
  readonly protocol: Exclude<Protocol, 'grpc'>;
  readonly contentType: string;
  readonly isJson: boolean;
  /** Whether each message has a prefix with a flag and its length. Otherwise the body is the message. */
  readonly isEnveloped: boolean;
  /** The query of a GET request, which contains the message. */
  readonly query: URLSearchParams | undefined;
  /** Name of the header with the encoding of messages, which is that of the response too. */
  readonly encodingHeader: string;
  readonly encoding: string;
  readonly timeoutHeader: 'connect-timeout-ms' | 'grpc-timeout';
  /** Timeout in ms; undefined without a valid one. */
  readonly timeoutMs: number | undefined;
}

const contentTypePattern =
  /^application\/(?:(?<unary>json|proto)|connect\+(?<stream>json|proto)|grpc-web(?:\+(?<web>json|proto))?)(?:;|$)/i;

const unitsMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000001,
};

/**
 * Returns the form of a request by the specifications of Connect and gRPC-Web; undefined for a content type of neither.
 * Whether the method permits the form is decided by `@connectrpc/connect`.
 */
export function requestForm(request: HttpRequest): RequestForm | undefined {
  const { url = '' } = request;
  const query = request.method === 'GET' ? new URLSearchParams(url.slice(pathOf(request).length)) : undefined;
  const contentType = query ? `application/${query.get('encoding')}` : headerOf(request, 'content-type');
  const { unary, stream, web } = contentTypePattern.exec(contentType ?? '')?.groups ?? {};
  if (contentType === undefined || !contentTypePattern.test(contentType)) return undefined;
  const isConnect = unary !== undefined || stream !== undefined;
  const encodingHeader = isConnect
    ? unary
      ? 'content-encoding'
      : 'connect-content-encoding'
    : 'grpc-encoding';
  const sent = query ? query.get('compression') : headerOf(request, encodingHeader);
  return {
    protocol: isConnect ? 'connect' : 'grpc_web',
    contentType,
    isJson: (unary ?? stream ?? web)?.toLowerCase() === 'json',
    isEnveloped: unary === undefined,
    query,
    encodingHeader,
    encoding: sent || 'identity',
    timeoutHeader: isConnect ? 'connect-timeout-ms' : 'grpc-timeout',
    timeoutMs: isConnect
      ? connectTimeoutMs(headerOf(request, 'connect-timeout-ms'))
      : grpcTimeoutMs(headerOf(request, 'grpc-timeout')),
  };
}

function connectTimeoutMs(header = ''): number | undefined {
  return /^\d{1,10}$/.test(header) ? Number(header) : undefined;
}

function grpcTimeoutMs(header = ''): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(header) ?? [];
  return digits === undefined ? undefined : Number(digits) * (unitsMs[unit] ?? 0);
}

/**
 * Returns the headers that `@connectrpc/connect` needs. A valid timeout and a supported encoding are left out, because the
 * call's chain enforces the deadline and reads the request. With an invalid one, the library answers with its error.
 */
export function protocolHeaders(request: HttpRequest, form: RequestForm): Headers {
  const headers = new Headers({ 'content-type': form.contentType });
  const timeout = headerOf(request, form.timeoutHeader);
  if (timeout !== undefined && form.timeoutMs === undefined) headers.set(form.timeoutHeader, timeout);
  if (!isSupportedEncoding(form.encoding)) headers.set(form.encodingHeader, form.encoding);
  return headers;
}

/** Returns the URL for `@connectrpc/connect`. That of a GET request has an empty message, as `standInBody`. */
export function standInUrl(path: string, { query, isJson }: RequestForm): string {
  const message = isJson ? 'encoding=json&message=%7B%7D' : 'encoding=proto&message=';
  return `http://localhost${path}${query ? `?${message}` : ''}`;
}

const emptyJson = new TextEncoder().encode('{}');
const emptyBinary = new Uint8Array();

/**
 * Yields a body with an empty message, for `@connectrpc/connect`. It stands for the request, which the call's chain reads
 * and decodes itself.
 */
export async function* standInBody(
  { desc }: MethodInfo,
  { isEnveloped, isJson }: RequestForm,
): AsyncGenerator<Uint8Array> {
  if (hasRequestStream(desc)) return;
  const message = isJson ? emptyJson : emptyBinary;
  if (isEnveloped) yield new Uint8Array([0, 0, 0, 0, message.length]);
  yield message;
}
