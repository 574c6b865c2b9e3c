import type { EventEmitter } from 'node:events';
import type { MetadataValue, ServerUnaryCall } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { peerIdentity } from '../auth/peer-identity.ts';
import { anonymous, type MethodInfo } from '../call-context.ts';
import { Code, RpcError } from '../errors.ts';
import { CallAbort } from './call-abort.ts';
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

type Values = Readonly<Record<string, readonly MetadataValue[]>>;

/** Where the request id goes with a call, and comes back with an error, by which its cause can be found in the log. */
export const requestIdKey = 'x-request-id';

/** A caller's request id is taken over when it is short and printable, so that it cannot forge a log line. */
const requestIdPattern = /^[\x21-\x7e]{1,128}$/;

/**
 * The chain's view of a grpc-js call: what came with it, and the abort that its cancellation is. A class, because one is
 * made for every call: an object with getters of its own took longer than any interceptor.
 */
export class OpenServerCall implements ServerCall {
  readonly method: MethodInfo;
  readonly header: ServerCall['header'];
  readonly peer: string;
  readonly authority: string;
  readonly requestId: string;
  readonly callerDeadline: number | undefined;
  deadline: number;
  principal = anonymous;
  readonly logFields: Record<string, unknown>;
  request: ServerCall['request'] = notOpened;
  respond: ServerCall['respond'] = notOpened;
  private readonly metadata: Values;
  private readonly grpcCall: GrpcCall;
  private readonly abortion = new CallAbort();
  private readonly serverLog: Logger;
  /** Made when it is asked for: a child costs more than the line that every call writes. */
  private ownLog: Logger | undefined;

  constructor(method: MethodInfo, grpcCall: GrpcCall, { log, newRequestId }: CallOptions) {
    const { abortion } = this;
    // As a plain object: it is read a dozen times, and Metadata checks the key every time.
    const metadata = grpcCall.metadata.toJSON();
    const callerId = firstText(metadata, requestIdKey);
    const callerDeadline = callerDeadlineMs(grpcCall);
    this.method = method;
    this.header = (key) => firstText(metadata, key);
    this.peer = grpcCall.getPeer();
    this.authority = grpcCall.getHost();
    this.requestId = callerId && requestIdPattern.test(callerId) ? callerId : newRequestId();
    this.callerDeadline = callerDeadline;
    this.deadline = callerDeadline ?? Number.POSITIVE_INFINITY;
    this.logFields = { request_id: this.requestId };
    this.metadata = metadata;
    this.grpcCall = grpcCall;
    this.serverLog = log;
    // grpc-js says it after every call, answered ones too. It keeps the listener until Node's next great garbage
    // collection, which is to find no more than this of the call.
    grpcCall.on('cancelled', () => {
      if (!abortion.isOver) abortion.abort(cancelReason(callerDeadline));
    });
  }

  metadataSizeBytes(): number {
    return sizeBytes(this.metadata);
  }

  /** Taken when it is asked for: Node unpacks the whole certificate, which a call with a token does not need. */
  get peerIdentity(): string | undefined {
    return peerIdentity(this.grpcCall.getAuthContext());
  }

  get signal(): AbortSignal {
    return this.abortion.signal();
  }

  abort(reason: RpcError): void {
    this.abortion.abort(reason);
  }

  onAbort(listener: (reason: RpcError) => void): void {
    this.abortion.onAbort(listener);
  }

  /** The call is answered: nothing aborts it any more. */
  end(): void {
    this.abortion.end();
  }

  get log(): Logger {
    this.ownLog ??= this.serverLog.child(this.logFields);
    return this.ownLog;
  }

  set log(replacement: Logger) {
    this.ownLog = replacement;
  }

  writeLog(level: 'info' | 'error', fields: object, message: string): void {
    if (this.ownLog) this.ownLog[level](fields, message);
    else this.serverLog[level](Object.assign(this.logFields, fields), message);
  }
}

function notOpened(): never {
  throw new Error('the call has no messages yet');
}

function firstText(metadata: Values, key: string): string | undefined {
  const value = metadata[key]?.[0];
  return typeof value === 'string' ? value : undefined;
}

/** As HTTP/2 counts a header list: names, values and 32 bytes each (RFC 9113, section 6.5.2); binary ones as base64. */
function sizeBytes(metadata: Values): number {
  let size = 0;
  for (const key in metadata)
    for (const value of metadata[key] ?? [])
      size += key.length + 32 + (typeof value === 'string' ? value.length : Math.ceil(value.length / 3) * 4);
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
