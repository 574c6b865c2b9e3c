import type { EventEmitter } from 'node:events';
import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { peerIdentity } from '../auth/peer-identity.ts';
import { anonymous, type MethodInfo } from '../call-context.ts';
import { Code, RpcError } from '../errors.ts';
import { createCallAbort } from './call-abort.ts';
import type { ServerCall } from './handler.ts';

/** What all four of grpc-js's call types have. */
export type GrpcCall = EventEmitter &
  Pick<
    ServerUnaryCall<unknown, unknown>,
    'metadata' | 'getPeer' | 'getHost' | 'getDeadline' | 'getAuthContext'
  >;

export interface CallOptions {
  readonly log: Logger;
  readonly newRequestId: () => string;
}

/** Where the request id goes with a call, and comes back with an error, by which its cause can be found in the log. */
export const requestIdKey = 'x-request-id';

/** A caller's request id is taken over when it is short and printable, so that it cannot forge a log line. */
const requestIdPattern = /^[\x21-\x7e]{1,128}$/;

/** Opens the chain's view of a grpc-js call: what came with it, and the signal that its cancellation aborts. */
export function openServerCall(
  method: MethodInfo,
  grpcCall: GrpcCall,
  options: CallOptions,
  messages: Pick<ServerCall, 'request' | 'respond'>,
): ServerCall {
  const { abort, onAbort, signal } = createCallAbort();
  const callerDeadline = callerDeadlineMs(grpcCall);
  grpcCall.once('cancelled', () => abort(cancelReason(callerDeadline)));
  const header = (key: string) => firstText(grpcCall.metadata, key);
  const callerId = header(requestIdKey);
  const requestId = callerId && requestIdPattern.test(callerId) ? callerId : options.newRequestId();
  const logFields: Record<string, unknown> = { request_id: requestId };
  // Made when it is asked for: a child costs more than the line that every call writes.
  let log: Logger | undefined;
  return {
    ...messages,
    method,
    header,
    metadataSizeBytes: () => sizeBytes(grpcCall.metadata),
    peer: grpcCall.getPeer(),
    authority: grpcCall.getHost(),
    // Taken when it is asked for: Node unpacks the whole certificate, which a call with a token does not need.
    get peerIdentity() {
      return peerIdentity(grpcCall.getAuthContext());
    },
    requestId,
    callerDeadline,
    deadline: callerDeadline ?? Number.POSITIVE_INFINITY,
    get signal() {
      return signal();
    },
    abort,
    onAbort,
    principal: anonymous,
    logFields,
    get log() {
      log ??= options.log.child(logFields);
      return log;
    },
    set log(replacement) {
      log = replacement;
    },
    writeLog: (level, fields, message) => {
      if (log) log[level](fields, message);
      else options.log[level]({ ...logFields, ...fields }, message);
    },
  };
}

function firstText(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key)[0];
  return typeof value === 'string' ? value : undefined;
}

/** As HTTP/2 counts a header list: names, values and 32 bytes each (RFC 9113, section 6.5.2). */
function sizeBytes(metadata: Metadata): number {
  let size = 0;
  const headers = metadata.toHttp2Headers();
  for (const key in headers) {
    const values = headers[key];
    if (Array.isArray(values)) for (const value of values) size += key.length + value.length + 32;
    else size += key.length + String(values).length + 32;
  }
  return size;
}

function callerDeadlineMs(grpcCall: GrpcCall): number | undefined {
  const deadline = Number(grpcCall.getDeadline());
  return Number.isFinite(deadline) ? deadline : undefined;
}

/** A caller keeps its deadline itself, and its clock started a little earlier: its cancel may overtake ours. */
const deadlineToleranceMs = 10;

/** grpc-js says 'cancelled' both when the caller has gone and when it has ended the call at the caller's deadline. */
function cancelReason(callerDeadline: number | undefined): RpcError {
  return callerDeadline !== undefined && Date.now() >= callerDeadline - deadlineToleranceMs
    ? new RpcError(Code.DEADLINE_EXCEEDED, 'deadline exceeded')
    : new RpcError(Code.CANCELLED, 'cancelled by the caller');
}
