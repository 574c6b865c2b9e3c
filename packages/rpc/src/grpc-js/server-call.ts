import { constants } from 'node:http2';
import type { Metadata, MetadataValue } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { anonymous, type MethodInfo, type Principal } from '../call/call-context.ts';
import type { ServerCall } from '../call/handler.ts';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import type { MemoryBudget, MemoryHolder } from '../limits/memory-budget.ts';
import { CallAbort } from './call-abort.ts';
import { CallMetadata } from './call-metadata.ts';
import { callerDeadlineAtMs, cancelReason } from './caller-deadline.ts';
import type { GrpcCall } from './grpc-call.ts';
import { discardReceived, http2StreamOf, type Receiver } from './internals/grpc-js-internals.ts';
import { decompress } from './messages/decompress.ts';
import type { ResponseMetadata } from './metadata/response-metadata.ts';
import { peerIdentity } from './peer-identity.ts';
import { incomingStreamOf } from './sessions/incoming-streams.ts';
import { markAuthenticated } from './sessions/unauthenticated-connections.ts';
import type { UnflushedCall, UnflushedCalls } from './sessions/unflushed-calls.ts';

export interface ServerCallOptions {
  readonly log: Logger;
  readonly newRequestId: () => string;
  readonly memory: MemoryBudget;
  readonly unflushed: UnflushedCalls;
  /** Maximum size of a request message, which a method's policy can lower. */
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
}

/** Time after the deadline in which the rest of an answer may still reach the caller. */
const unflushedMs = 2000;
/** Time for a sent answer to leave before the unread rest of its request is reset. */
const unreadMs = 200;

/** Bytes up to which a call is not counted in the memory budget. */
const maxUncountedBytes = 4096;

/** Retry delay of an evicted call. */
const evictedRetryMs = 1000;

type Values = Readonly<Record<string, readonly MetadataValue[]>>;

/** Metadata key of the request id, in requests and in the trailers of errors. The id finds an error's cause in the log. */
export const requestIdKey = 'x-request-id';

/** Form of a caller's request id that is accepted: short and printable, so that it cannot forge a log line. */
const requestIdPattern = /^[\x21-\x7e]{1,128}$/;

/**
 * The chain's view of a grpc-js call: its metadata, its messages, and its abort, which a cancellation triggers. A class,
 * because closures per call cost more than any interceptor.
 */
export class GrpcServerCall implements ServerCall, MemoryHolder, UnflushedCall, Receiver {
  readonly method: MethodInfo;
  readonly metadata: ServerCall['metadata'];
  readonly peer: string;
  readonly authority: string;
  readonly requestId: string;
  readonly callerDeadlineAtMs: number | undefined;
  deadlineAtMs: number;
  principal: Principal = anonymous;
  readonly logFields: Record<string, unknown>;
  request: ServerCall['request'] = notOpened;
  respond: ServerCall['respond'] = notOpened;
  private readonly grpcCall: GrpcCall;
  private ownMetadata: CallMetadata | undefined;
  private readonly callAbort = new CallAbort();
  private readonly options: ServerCallOptions;
  private heldBytes = 0;
  private isCounted = false;
  /** Whether grpc-js has finished the call: it sent the status, or the caller is gone. */
  private isClosed = false;
  /** Settles when the handler has read the last decompressed message. */
  private lastDecompressed: Promise<void> | undefined;
  private onRead = nothing;
  /** Whether messages have been written. */
  private hasAnswered = false;
  /** Whether the whole answer has left this process. */
  private isAnswered = false;
  /** Time of the final reset of the stream, in ms since the epoch. */
  private resetByMs = 0;
  /** Created on first use: a child logger costs more than the line that every call writes. */
  private ownLog: Logger | undefined;

  constructor(method: MethodInfo, grpcCall: GrpcCall, options: ServerCallOptions) {
    // As a plain object: it is read a dozen times, and Metadata validates the key every time.
    const metadata = grpcCall.metadata.toJSON();
    const callerId = firstText(metadata, requestIdKey);
    const callerDeadline = callerDeadlineAtMs(grpcCall);
    this.method = method;
    this.metadata = (key) => firstText(metadata, key);
    this.peer = grpcCall.getPeer();
    this.authority = grpcCall.getHost();
    this.requestId = callerId && requestIdPattern.test(callerId) ? callerId : options.newRequestId();
    this.callerDeadlineAtMs = callerDeadline;
    this.deadlineAtMs = callerDeadline ?? Number.POSITIVE_INFINITY;
    this.logFields = { request_id: this.requestId };
    this.grpcCall = grpcCall;
    this.options = options;
    // grpc-js emits the event after every call, including answered calls.
    grpcCall.on('cancelled', () => this.close());
  }

  get requestMetadata(): Metadata {
    return this.grpcCall.metadata;
  }

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
    this.ownMetadata ??= new CallMetadata(this.grpcCall, this.hasAnswered);
    return this.ownMetadata;
  }

  /** Called before grpc-js sends a message or a status, which would send headers of its own. */
  flushHeaders(): void {
    this.ownMetadata?.flushHeaders();
  }

  /** Returns the trailers, which can no longer change; undefined if the handler set none. */
  takeTrailers(): ResponseMetadata | undefined {
    return this.ownMetadata?.takeTrailers();
  }

  get caller(): string {
    return this.principal.subject || this.peer;
  }

  authenticate(principal: Principal): void {
    this.principal = principal;
    markAuthenticated(http2StreamOf(this.grpcCall).session);
  }

  get hasAuthorization(): boolean {
    return incomingStreamOf(http2StreamOf(this.grpcCall))?.hasAuthorization ?? false;
  }

  get headerListBytes(): number {
    return incomingStreamOf(http2StreamOf(this.grpcCall))?.headerListBytes ?? 0;
  }

  /** Read on use: Node parses the whole certificate, which a call with a token does not need. */
  get peerIdentity(): string | undefined {
    return peerIdentity(this.grpcCall.getAuthContext());
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

  discardRequest(): void {
    discardReceived(this.grpcCall);
  }

  hold(sizeBytes: number): void {
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

  private releaseAll(): void {
    if (this.isCounted) this.options.memory.releaseAll(this);
  }

  get maxMessageBytes(): number {
    const { maxRequestBytes } = this.options;
    return Math.min(this.method.policy.maxRequestBytes ?? maxRequestBytes, maxRequestBytes);
  }

  onBytes(sizeBytes: number): void {
    this.hold(sizeBytes);
  }

  onOversized(): void {
    const message = `a request message takes over ${this.maxMessageBytes} bytes`;
    this.abort(new RpcError(Code.RESOURCE_EXHAUSTED, message));
  }

  async decompress(content: Buffer, encoding: string): Promise<Buffer> {
    const earlier = this.lastDecompressed;
    const read = Promise.withResolvers<void>();
    this.lastDecompressed = read.promise;
    // grpc-js would decompress all messages of a frame, possibly hundreds, before the first is read.
    await earlier;
    try {
      const bytes = await decompress(content, encoding, this);
      this.onRead = read.resolve;
      this.hold(bytes.length);
      this.release(content.length);
      return bytes;
    } catch (error) {
      this.abort(error as RpcError);
      // Never settles: the chain sends the status, and grpc-js would send another one for a rejection.
      return await new Promise<never>(() => {});
    }
  }

  /** Called when the handler requests the next message of a stream. */
  onMessageRead(): void {
    this.onRead();
  }

  /** Counts the single message of an answer, which is buffered until the caller reads it. */
  holdAnswer(message: Uint8Array): void {
    this.hasAnswered = true;
    this.hold(message.length);
  }

  /** Sends a message. Resolves when it has left the buffers of this process; rejects if the call's stream is closed. */
  write(message: Uint8Array): Promise<void> {
    if (!this.hasAnswered) this.ownMetadata?.sendHeaders();
    this.hasAnswered = true;
    this.hold(message.length);
    return new Promise((resolve, reject) => {
      this.grpcCall.write(message, (error?: Error | null) => {
        this.release(message.length);
        if (error) reject(error);
        else resolve();
      });
    });
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

  /** Called when grpc-js has finished the call. */
  private close(): void {
    const { unflushed } = this.options;
    this.isClosed = true;
    if (!this.callAbort.hasEnded) {
      this.callAbort.abort(cancelReason(this.callerDeadlineAtMs));
      return;
    }
    const stream = http2StreamOf(this.grpcCall);
    // At the deadline grpc-js finishes a call whose answer is still buffered.
    if (this.hasAnswered && !stream.destroyed && stream.sentTrailers === undefined) return;
    this.isAnswered = true;
    this.releaseAll();
    if (stream.readableEnded || stream.destroyed) {
      unflushed.delete(this);
      return;
    }
    // The request was answered before its end. The answer leaves in the next turn of the event loop; then the rest of the
    // request is reset.
    this.resetByMs = Date.now() + unflushedMs;
    stream.once('close', () => unflushed.delete(this));
    setImmediate(() => setImmediate(() => this.reset()));
  }

  /** Resets the call's HTTP/2 stream. After a complete answer the code is NO_ERROR (RFC 9113, section 8.1). */
  reset(): void {
    const { NGHTTP2_NO_ERROR, NGHTTP2_ENHANCE_YOUR_CALM } = constants;
    const stream = http2StreamOf(this.grpcCall);
    this.releaseAll();
    if (stream.closed) return;
    // A reset overtakes frames that nghttp2 has not written yet, including the status.
    const isWritten = !stream.session?.state.outboundQueueSize;
    if (isWritten || Date.now() > this.resetByMs)
      stream.close(this.isAnswered ? NGHTTP2_NO_ERROR : NGHTTP2_ENHANCE_YOUR_CALM);
    else this.options.unflushed.add(this, Date.now() + unreadMs);
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

function nothing(): void {}

function notOpened(): never {
  throw new Error('the messages of the call are not open yet');
}

function firstText(metadata: Values, key: string): string | undefined {
  const value = metadata[key]?.[0];
  return typeof value === 'string' ? value : undefined;
}
