import type { Metadata } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { anonymous, type Principal, type ServedMethod } from '../call/call-context.ts';
import type { ServerCall } from '../call/handler.ts';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import type { ResponseMetadata } from '../grpc-js/metadata/response-metadata.ts';
import type { MemoryBudget, MemoryHolder } from '../limits/memory-budget.ts';
import { CallAbort } from './call-abort.ts';
import { CallMetadata } from './call-metadata.ts';
import type { UnflushedCall, UnflushedCalls } from './unflushed-calls.ts';

/** What the calls of a server share, whatever their protocol. */
export interface ServerCallOptions {
  readonly log: Logger;
  readonly newRequestId: () => string;
  readonly memory: MemoryBudget;
  readonly unflushed: UnflushedCalls;
  /** Maximum size of a request message, which a method's policy can lower. */
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
}

/** Metadata key of the request id, in requests and in the trailers of errors. The id finds an error's cause in the log. */
export const requestIdKey = 'x-request-id';

/** Form of a caller's request id that is accepted: short and printable, so that it cannot forge a log line. */
const requestIdPattern = /^[\x21-\x7e]{1,128}$/;

/** Time after the deadline in which the rest of an answer may still reach the caller. */
export const unflushedMs = 2000;

/** Bytes up to which a call is not counted in the memory budget. */
const maxUncountedBytes = 4096;

/** Retry delay of an evicted call. */
const evictedRetryMs = 1000;

/**
 * The chain's view of a call, as far as it is the same for all protocols: its identity, deadline, abort, log, and the bytes
 * that it holds. A class, because closures per call cost more than any interceptor.
 */
export abstract class IncomingCall implements ServerCall, MemoryHolder, UnflushedCall {
  readonly method: ServedMethod;
  readonly requestId: string;
  readonly callerDeadlineAtMs: number | undefined;
  deadlineAtMs: number;
  principal: Principal = anonymous;
  readonly logFields: Record<string, unknown>;
  unflushed: UnflushedCall['unflushed'];
  request: ServerCall['request'] = notOpened;
  respond: ServerCall['respond'] = notOpened;
  abstract readonly metadata: ServerCall['metadata'];
  abstract readonly peer: string;
  abstract readonly authority: string;
  abstract readonly requestMetadata: Metadata;
  abstract readonly hasAuthorization: boolean;
  abstract readonly headerListBytes: number;
  abstract readonly peerIdentity: string | undefined;
  protected readonly callAbort = new CallAbort();
  protected readonly options: ServerCallOptions;
  /** Whether messages have been written. */
  protected hasAnswered = false;
  /** Whether the protocol has finished the call: it sent the status, or the caller is gone. */
  protected isClosed = false;
  private ownMetadata: CallMetadata | undefined;
  private heldBytes = 0;
  private isCounted = false;
  /** Whether nothing is held any more. A decompression, for instance, may end after its call. */
  private isReleased = false;
  /** Created on first use: a child logger costs more than the line that every call writes. */
  private ownLog: Logger | undefined;

  /** @param callerId The caller's request id, in any form. */
  constructor(
    method: ServedMethod,
    callerId: string | undefined,
    callerDeadlineAtMs: number | undefined,
    options: ServerCallOptions,
  ) {
    this.method = method;
    this.requestId = callerId && requestIdPattern.test(callerId) ? callerId : options.newRequestId();
    this.callerDeadlineAtMs = callerDeadlineAtMs;
    this.deadlineAtMs = callerDeadlineAtMs ?? Number.POSITIVE_INFINITY;
    this.logFields = { request_id: this.requestId };
    this.options = options;
  }

  abstract authenticate(principal: Principal): void;
  abstract discardRequest(): void;
  /** Sends the headers of the response. Called at most once. */
  abstract sendMetadata(headers: Metadata): void;
  /** Resets the call's stream, which drops its buffers. */
  abstract reset(): void;

  get responseHeaders(): Metadata {
    return this.responseMetadata.headers;
  }

  get responseTrailers(): Metadata {
    return this.responseMetadata.trailers;
  }

  get sendHeaders(): () => void {
    return this.responseMetadata.sendHeaders;
  }

  private get responseMetadata(): CallMetadata {
    this.ownMetadata ??= new CallMetadata(this, this.hasAnswered);
    return this.ownMetadata;
  }

  /** Called before the protocol sends a message or a status, which would send headers of its own. */
  flushHeaders(): void {
    this.ownMetadata?.flushHeaders();
  }

  /** Called before the first message: sends the headers that the handler has used, even if they are empty. */
  protected commitHeaders(): void {
    if (!this.hasAnswered) this.ownMetadata?.sendHeaders();
    this.hasAnswered = true;
  }

  /** Returns the trailers, which can no longer change; undefined if the handler set none. */
  takeTrailers(): ResponseMetadata | undefined {
    return this.ownMetadata?.takeTrailers();
  }

  get caller(): string {
    return this.principal.subject || this.peer;
  }

  get signal(): AbortSignal {
    return this.callAbort.signal();
  }

  abort(reason: RpcError): void {
    this.callAbort.abort(reason);
  }

  onAbort(listener: (reason: RpcError) => void): void {
    this.callAbort.onAbort(listener);
  }

  hold(sizeBytes: number): void {
    if (this.isReleased) return;
    this.heldBytes += sizeBytes;
    if (this.isCounted) this.options.memory.hold(this, sizeBytes);
    else if (this.heldBytes > maxUncountedBytes) {
      this.isCounted = true;
      this.options.memory.hold(this, this.heldBytes);
    }
  }

  release(sizeBytes: number): void {
    this.heldBytes -= sizeBytes;
    if (this.isCounted) this.options.memory.release(this, sizeBytes);
  }

  protected releaseAll(): void {
    this.isReleased = true;
    if (this.isCounted) this.options.memory.releaseAll(this);
  }

  get maxMessageBytes(): number {
    const { maxRequestBytes } = this.options;
    return Math.min(this.method.policy.maxRequestBytes ?? maxRequestBytes, maxRequestBytes);
  }

  /**
   * Called when the chain has ended. From here on the call cannot be aborted. The answer of a call that did not fail may
   * wait until the deadline for the caller to read it.
   */
  end(hasFailed: boolean): void {
    const { unflushed } = this.options;
    this.callAbort.end();
    if (this.isClosed) this.releaseAll();
    else unflushed.add(this, Math.max(hasFailed ? 0 : this.deadlineAtMs, Date.now()) + unflushedMs);
  }

  evict(): void {
    if (this.callAbort.hasEnded) {
      this.reset();
      return;
    }
    this.callAbort.abort(
      new RpcError(Code.RESOURCE_EXHAUSTED, 'the server holds too many bytes for this caller', {
        details: [retryInfo(evictedRetryMs)],
      }),
    );
    // The status would wait behind unread answers.
    if (this.hasAnswered) this.reset();
  }

  get log(): Logger {
    this.ownLog ??= this.options.log.child(this.logFields);
    return this.ownLog;
  }

  set log(replacement: Logger) {
    this.ownLog = replacement;
  }

  writeLog(level: 'info' | 'error', fields: object, message: string): void {
    if (this.ownLog) this.ownLog[level](fields, message);
    else this.options.log[level](Object.assign(this.logFields, fields), message);
  }
}

function notOpened(): never {
  throw new Error('the messages of the call are not open yet');
}
