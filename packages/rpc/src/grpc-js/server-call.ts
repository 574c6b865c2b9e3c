import { constants } from 'node:http2';
import type { MetadataValue } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { anonymous, type MethodInfo, type Principal } from '../call/call-context.ts';
import type { ServerCall } from '../call/handler.ts';
import { retryInfo } from '../errors/error-details.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { maxMessageBytes } from '../limits/server-limits.ts';
import { CallAbort } from './call-abort.ts';
import { callerDeadlineMs, cancelReason } from './caller-deadline.ts';
import type { GrpcCall } from './grpc-call.ts';
import { discardReceived, http2StreamOf, type Receiver } from './internals/grpc-js-internals.ts';
import { decompress } from './messages/decompress.ts';
import type { ByteHolder, HeldBytes } from './messages/held-bytes.ts';
import { peerIdentity } from './peer-identity.ts';
import { arrivalOf } from './sessions/arrivals.ts';
import { markKnown } from './sessions/known-sessions.ts';
import type { UnflushedCall, UnflushedCalls } from './sessions/unflushed-calls.ts';

export interface CallOptions {
  readonly log: Logger;
  readonly newRequestId: () => string;
  readonly held: HeldBytes;
  readonly unflushed: UnflushedCalls;
}

/** Time for the rest of an answer to reach the caller after its deadline. */
const unflushedMs = 2000;
/** Time for an answer to leave before the rest of a request that it did not wait for is refused. */
const unreadMs = 200;

/** A call that holds no more than this is not counted among those of its caller. */
const maxUncountedBytes = 4096;

/** An evicted call is worth making again when others have ended. */
const evictedRetryMs = 1000;

type Values = Readonly<Record<string, readonly MetadataValue[]>>;

/** Where the request id goes with a call, and comes back with an error, by which its cause can be found in the log. */
export const requestIdKey = 'x-request-id';

/** A caller's request id is taken over when it is short and printable, so that it cannot forge a log line. */
const requestIdPattern = /^[\x21-\x7e]{1,128}$/;

/**
 * The chain's view of a grpc-js call: what came with it, and the abort that its cancellation is. A class, because one is
 * made for every call: an object with getters of its own took longer than any interceptor.
 */
export class OpenServerCall implements ServerCall, ByteHolder, UnflushedCall, Receiver {
  readonly method: MethodInfo;
  readonly header: ServerCall['header'];
  readonly peer: string;
  readonly authority: string;
  readonly requestId: string;
  readonly callerDeadline: number | undefined;
  deadline: number;
  principal: Principal = anonymous;
  readonly logFields: Record<string, unknown>;
  request: ServerCall['request'] = notOpened;
  respond: ServerCall['respond'] = notOpened;
  private readonly grpcCall: GrpcCall;
  private readonly abortion = new CallAbort();
  private readonly options: CallOptions;
  private heldBytes = 0;
  private isCounted = false;
  /** Whether grpc-js is done with the call: it has sent the status, or the caller has gone. */
  private isClosed = false;
  /** Settles when the last message to be decompressed has been read. */
  private lastDecompressed: Promise<void> | undefined;
  private onTaken = nothing;
  /** Whether messages have been written. */
  private hasAnswered = false;
  /** Whether the whole answer has left this process. */
  private isAnswered = false;
  /** When the stream is reset at last, in ms since the epoch. */
  private resetByMs = 0;
  /** Made when it is asked for: a child costs more than the line that every call writes. */
  private ownLog: Logger | undefined;

  constructor(method: MethodInfo, grpcCall: GrpcCall, options: CallOptions) {
    // As a plain object: it is read a dozen times, and Metadata checks the key every time.
    const metadata = grpcCall.metadata.toJSON();
    const callerId = firstText(metadata, requestIdKey);
    const callerDeadline = callerDeadlineMs(grpcCall);
    this.method = method;
    this.header = (key) => firstText(metadata, key);
    this.peer = grpcCall.getPeer();
    this.authority = grpcCall.getHost();
    this.requestId = callerId && requestIdPattern.test(callerId) ? callerId : options.newRequestId();
    this.callerDeadline = callerDeadline;
    this.deadline = callerDeadline ?? Number.POSITIVE_INFINITY;
    this.logFields = { request_id: this.requestId };
    this.grpcCall = grpcCall;
    this.options = options;
    // Emitted after every call, answered ones too.
    grpcCall.on('cancelled', () => this.close());
  }

  /** By whom the bytes that the call holds are counted. */
  get caller(): string {
    return this.principal.subject || this.peer;
  }

  authenticate(principal: Principal): void {
    this.principal = principal;
    markKnown(http2StreamOf(this.grpcCall).session);
  }

  get hasAuthorization(): boolean {
    return arrivalOf(http2StreamOf(this.grpcCall))?.hasAuthorization ?? false;
  }

  get headerListBytes(): number {
    return arrivalOf(http2StreamOf(this.grpcCall))?.headerListBytes ?? 0;
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

  discardRequest(): void {
    discardReceived(this.grpcCall);
  }

  hold(sizeBytes: number): void {
    this.heldBytes += sizeBytes;
    if (this.isCounted) this.options.held.hold(this, sizeBytes);
    else if (this.heldBytes > maxUncountedBytes) {
      this.isCounted = true;
      this.options.held.hold(this, this.heldBytes);
    }
  }

  release(sizeBytes: number): void {
    this.heldBytes -= sizeBytes;
    if (this.isCounted) this.options.held.release(this, sizeBytes);
  }

  private releaseAll(): void {
    if (this.isCounted) this.options.held.releaseAll(this);
  }

  get maxMessageBytes(): number {
    return this.method.policy.maxRequestBytes ?? maxMessageBytes;
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
    const taken = Promise.withResolvers<void>();
    this.lastDecompressed = taken.promise;
    // grpc-js would decompress all that came in a frame, hundreds of messages, before the first is read.
    await earlier;
    try {
      const bytes = await decompress(content, encoding, this);
      this.onTaken = taken.resolve;
      this.hold(bytes.length);
      this.release(content.length);
      return bytes;
    } catch (error) {
      this.abort(error as RpcError);
      // The status is the chain's to send: grpc-js would send its own for a rejection.
      return await new Promise<never>(() => {});
    }
  }

  /** Called when a message has been read and the next one is wanted. */
  messageTaken(): void {
    this.onTaken();
  }

  /** Counts the only message of the answer, which waits until the caller reads it. */
  holdAnswer(message: Uint8Array): void {
    this.hasAnswered = true;
    this.hold(message.length);
  }

  /** Sends a message. Resolves when it has left this process's buffers; rejects when the call's stream is closed. */
  write(message: Uint8Array): Promise<void> {
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
   * The chain has ended: nothing aborts the call any more. An answer may still wait for the caller to read it, until the
   * deadline; that of a call that failed is not waited for.
   */
  end(hasFailed: boolean): void {
    const { unflushed } = this.options;
    this.abortion.end();
    if (this.isClosed) this.releaseAll();
    else unflushed.add(this, Math.max(hasFailed ? 0 : this.deadline, Date.now()) + unflushedMs);
  }

  /** Called when grpc-js is done with the call. */
  private close(): void {
    const { unflushed } = this.options;
    this.isClosed = true;
    if (!this.abortion.isOver) {
      this.abortion.abort(cancelReason(this.callerDeadline));
      return;
    }
    const stream = http2StreamOf(this.grpcCall);
    // grpc-js is done at its own deadline, too, with an answer that still waits.
    if (this.hasAnswered && !stream.destroyed && stream.sentTrailers === undefined) return;
    this.isAnswered = true;
    this.releaseAll();
    if (stream.readableEnded || stream.destroyed) {
      unflushed.delete(this);
      return;
    }
    // The request has been answered before its end. When the answer has gone out, which is in the next turn of the event
    // loop, the rest is not waited for.
    this.resetByMs = Date.now() + unflushedMs;
    stream.once('close', () => unflushed.delete(this));
    setImmediate(() => setImmediate(() => this.reset()));
  }

  /** Ends the call's HTTP/2 stream. After the whole answer that is no error (RFC 9113, section 8.1). */
  reset(): void {
    const { NGHTTP2_NO_ERROR, NGHTTP2_ENHANCE_YOUR_CALM } = constants;
    const stream = http2StreamOf(this.grpcCall);
    this.releaseAll();
    if (stream.closed) return;
    // A reset overtakes frames that nghttp2 has not written yet, the status among them.
    const isWritten = !stream.session?.state.outboundQueueSize;
    if (isWritten || Date.now() > this.resetByMs)
      stream.close(this.isAnswered ? NGHTTP2_NO_ERROR : NGHTTP2_ENHANCE_YOUR_CALM);
    else this.options.unflushed.add(this, Date.now() + unreadMs);
  }

  evict(): void {
    if (this.abortion.isOver) {
      this.reset();
      return;
    }
    this.abortion.abort(
      new RpcError(Code.RESOURCE_EXHAUSTED, 'the server holds too many bytes for this caller', {
        details: [retryInfo(evictedRetryMs)],
      }),
    );
    // The status would wait behind answers that are not read.
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
  throw new Error('the call has no messages yet');
}

function firstText(metadata: Values, key: string): string | undefined {
  const value = metadata[key]?.[0];
  return typeof value === 'string' ? value : undefined;
}
