import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { maxInt32 } from '../call/timer.ts';
import { retryDelayMsOf } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { isErrorCode } from '../errors/status-codes.ts';
import {
  boundedMessage,
  decodeStatusDetails,
  encodeStatusDetails,
  statusDetailsKey,
} from '../errors/status-details.ts';
import { type IncomingCall, requestIdKey } from '../incoming/incoming-call.ts';
import type { ResponseMetadata } from './metadata/response-metadata.ts';

/** Trailer that replaces the backoff of the client's retry policy, in ms (gRFC A6). */
const pushbackKey = 'grpc-retry-pushback-ms';

/**
 * Converts an error to the status that grpc-js sends, with the handler's trailers, for which details are dropped. An error
 * other than an RpcError becomes INTERNAL `internal error`. So does an RpcError whose code is OK or no number: it would tell
 * the caller that the call has succeeded.
 *
 * Trailers are part of the status, because the official instrumentation drops the callback's third argument.
 */
export function toGrpcStatus(error: unknown, trailers?: ResponseMetadata): StatusObject {
  const known =
    error instanceof RpcError && isErrorCode(error.code)
      ? error
      : new RpcError(Code.INTERNAL, 'internal error');
  const details = boundedMessage(known.message);
  const metadata = new Metadata();
  if (trailers) metadata.merge(trailers);
  const encoded = encodeStatusDetails(known.code, details, known.details, trailers?.sizeBytes());
  if (encoded) metadata.set(statusDetailsKey, Buffer.from(encoded));
  const pushbackMs = pushbackOf(known);
  if (pushbackMs !== undefined) metadata.set(pushbackKey, String(pushbackMs));
  return { code: known.code, details, metadata };
}

/**
 * Returns the status of a call that failed with this error, with the request id and the handler's trailers, which can no
 * longer change.
 */
export function callStatus(error: unknown, call: IncomingCall): StatusObject {
  const trailers = call.takeTrailers();
  let status: StatusObject;
  try {
    status = toGrpcStatus(error, trailers);
  } catch (cause) {
    // Code without types can give an RpcError any values. A rejection here would end the process.
    call.log.error({ err: cause }, 'an error could not be converted to a status');
    status = toGrpcStatus(undefined, trailers);
  }
  status.metadata.set(requestIdKey, call.requestId);
  return status;
}

/** Returns the delay of the error's RetryInfo; undefined without one, or if it is negative, which means "do not retry". */
function pushbackOf(error: RpcError): number | undefined {
  const delayMs = retryDelayMsOf(error);
  return delayMs !== undefined && delayMs >= 0 ? Math.min(delayMs, maxInt32) : undefined;
}

/** Converts a status that grpc-js received: decodes its details and truncates a long message. */
export function fromGrpcStatus(status: Partial<StatusObject>): RpcError {
  const encoded = status.metadata?.get(statusDetailsKey)[0];
  return new RpcError(status.code ?? Code.UNKNOWN, boundedMessage(status.details ?? ''), {
    details: encoded instanceof Uint8Array ? decodeStatusDetails(encoded) : [],
  });
}
