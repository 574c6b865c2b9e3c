import { RetryInfoSchema } from '@acme/gen/google/rpc/error_details_pb';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { Code, RpcError } from '../errors/rpc-error.ts';
import {
  boundedMessage,
  decodeStatusDetails,
  encodeStatusDetails,
  statusDetailsKey,
} from '../errors/status-details.ts';

/** Tells a client's retry policy how long to wait, in ms, in the place of its own backoff (gRFC A6). */
const pushbackKey = 'grpc-retry-pushback-ms';
const maxInt32 = 2 ** 31 - 1;

/**
 * An error as grpc-js sends it. What is no RpcError tells the caller nothing: INTERNAL `internal error`.
 *
 * grpc-js takes it as the callback's first argument, because instrumentation drops the third.
 */
export function toGrpcStatus(error: unknown): StatusObject {
  const known = error instanceof RpcError ? error : new RpcError(Code.INTERNAL, 'internal error');
  const details = boundedMessage(known.message);
  const metadata = new Metadata();
  const encoded = encodeStatusDetails(known.code, details, known.details);
  if (encoded) metadata.set(statusDetailsKey, Buffer.from(encoded));
  const pushbackMs = pushbackOf(known);
  if (pushbackMs !== undefined) metadata.set(pushbackKey, String(pushbackMs));
  return { code: known.code, details, metadata };
}

/** What RetryInfo asks for; undefined without one, or for what would be read as "do not retry". */
function pushbackOf(error: RpcError): number | undefined {
  const delay = error.detail(RetryInfoSchema)?.retryDelay;
  const delayMs = delay ? durationMs(delay) : -1;
  return delayMs >= 0 ? Math.min(delayMs, maxInt32) : undefined;
}

/** Converts a status that grpc-js received. Decodes its google.rpc details and cuts a message that is too long to keep. */
export function fromGrpcStatus(status: Partial<StatusObject>): RpcError {
  const encoded = status.metadata?.get(statusDetailsKey)[0];
  return new RpcError(status.code ?? Code.UNKNOWN, boundedMessage(status.details ?? ''), {
    details: encoded instanceof Uint8Array ? decodeStatusDetails(encoded) : [],
  });
}
