import { status } from '@grpc/grpc-js';

/** The reason why a response is not one of gRPC. */
export interface ResponseProblem {
  readonly code: status;
  readonly message: string;
}

/** Codes for a response without a gRPC status (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md). */
const codesOfHttpStatus: Readonly<Record<number, status>> = {
  400: status.INTERNAL,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.UNIMPLEMENTED,
  429: status.UNAVAILABLE,
  502: status.UNAVAILABLE,
  503: status.UNAVAILABLE,
  504: status.UNAVAILABLE,
};

/** `Content-Type` of gRPC's HTTP/2 protocol, for messages in protobuf. */
const contentTypePattern = /^application\/grpc(\+proto)?\s*(;|$)/i;

/** Encodings that grpc-js decompresses. */
const encodings = new Set(['gzip', 'deflate']);

/**
 * Returns the problem with the headers of a response, as of the page of a proxy or of a server that does not speak gRPC.
 * Returns undefined for a gRPC response.
 */
export function headersProblem(
  httpStatus: number | undefined,
  contentType: unknown,
): ResponseProblem | undefined {
  if (httpStatus === 200 && typeof contentType === 'string' && contentTypePattern.test(contentType))
    return undefined;
  const type = contentType === undefined ? 'no content-type' : `content-type ${quoted(contentType)}`;
  const message = `the server's response is not gRPC: HTTP status ${httpStatus}, ${type}`;
  if (httpStatus !== 200) return { code: codesOfHttpStatus[httpStatus ?? 0] ?? status.UNKNOWN, message };
  const isGrpc = typeof contentType === 'string' && contentType.startsWith('application/grpc');
  return { code: isGrpc ? status.INTERNAL : status.UNKNOWN, message };
}

/**
 * Returns the problem with the flag of a message: 0, or 1 for a message that is compressed with the `grpc-encoding` of the
 * headers. The code for an encoding that the client does not support is INTERNAL
 * (https://github.com/grpc/grpc/blob/master/doc/compression.md).
 */
export function flagProblem(flag: number | undefined, encoding: unknown): ResponseProblem | undefined {
  if (flag === 0) return undefined;
  const code = status.INTERNAL;
  if (flag !== 1) return { code, message: `a message of the response has the flag ${flag}` };
  if (encoding === undefined || encoding === 'identity')
    return {
      code,
      message: 'a message of the response is compressed, and its headers name no grpc-encoding',
    };
  if (typeof encoding === 'string' && encodings.has(encoding)) return undefined;
  return {
    code,
    message: `the response is compressed with ${quoted(encoding)}: the client supports gzip and deflate`,
  };
}

/** The value comes from the server, so a message gets at most 64 characters of it. */
function quoted(value: unknown): string {
  return JSON.stringify(String(value).slice(0, 64));
}
