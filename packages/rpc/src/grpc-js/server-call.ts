import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Metadata, MetadataValue, ServerUnaryCall } from '@grpc/grpc-js';
import type { Principal, ServedMethod } from '../call/call-context.ts';
import type { ServerCall } from '../call/handler.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { cancelReason } from '../incoming/cancel-reason.ts';
import {
  IncomingCall,
  requestIdKey,
  type ServerCallOptions,
  unflushedMs,
} from '../incoming/incoming-call.ts';
import { callerDeadlineAtMs } from './caller-deadline.ts';
import type { GrpcCall } from './grpc-call.ts';
import { discardReceived, http2StreamOf, type Receiver } from './internals/grpc-js-internals.ts';
import { decompress } from './messages/decompress.ts';
import { peerIdentity } from './peer-identity.ts';
import { incomingStreamOf } from './sessions/incoming-streams.ts';
import { markAuthenticated } from './sessions/unauthenticated-connections.ts';

/** Time for a sent answer to leave before the unread rest of its request is reset. */
const unreadMs = 200;

type Values = Readonly<Record<string, readonly MetadataValue[]>>;

/** The chain's view of a grpc-js call: its metadata, its messages, and its abort, which a cancellation triggers. */
export class GrpcServerCall extends IncomingCall implements Receiver {
  readonly metadata: ServerCall['metadata'];
  readonly peer: string;
  readonly authority: string;
  private readonly grpcCall: GrpcCall;
  /** The call as grpc-js shows it to its handler. */
  private readonly surface: ServerUnaryCall<GrpcCall, Uint8Array>;
  /** Settles when the handler has read the last decompressed message. */
  private lastDecompressed: Promise<void> | undefined;
  private onRead = nothing;
  /** Whether the whole answer has left this process. */
  private isAnswered = false;
  /** Time of the final reset of the stream, in ms since the epoch. */
  private resetByMs = 0;

  constructor(
    method: ServedMethod,
    surface: ServerUnaryCall<GrpcCall, Uint8Array>,
    options: ServerCallOptions,
  ) {
    const grpcCall = surface.request;
    // As a plain object: it is read a dozen times, and Metadata validates the key every time.
    const metadata = surface.metadata.toJSON();
    super(method, firstText(metadata, requestIdKey), callerDeadlineAtMs(grpcCall), options);
    this.metadata = (key) => firstText(metadata, key);
    // Of the connection: grpc-js reads it from the socket for each call, through a proxy.
    this.peer = incomingStreamOf(http2StreamOf(grpcCall.inner))?.connection.peer ?? 'unknown';
    this.authority = grpcCall.getHost();
    this.grpcCall = grpcCall;
    this.surface = surface;
    grpcCall.onClosed = () => this.close();
  }

  get requestMetadata(): Metadata {
    return this.surface.metadata;
  }

  sendMetadata(headers: Metadata): void {
    this.surface.sendMetadata(headers);
  }

  authenticate(principal: Principal): void {
    this.principal = principal;
    markAuthenticated(http2StreamOf(this.grpcCall.inner).session);
  }

  get hasAuthorization(): boolean {
    return incomingStreamOf(http2StreamOf(this.grpcCall.inner))?.hasAuthorization ?? false;
  }

  get headerListBytes(): number {
    return incomingStreamOf(http2StreamOf(this.grpcCall.inner))?.headerListBytes ?? 0;
  }

  /** Read on use: Node parses the whole certificate, which a call with a token does not need. */
  get peerIdentity(): string | undefined {
    return peerIdentity(this.grpcCall.getAuthContext());
  }

  discardRequest(): void {
    discardReceived(this.grpcCall.inner);
  }

  onBytes(sizeBytes: number): void {
    this.hold(sizeBytes);
  }

  onOversized(): void {
    const message = `a request message takes over ${this.maxMessageBytes} bytes`;
    this.abort(new RpcError(Code.RESOURCE_EXHAUSTED, message));
  }

  onFragmented(): void {
    this.abort(new RpcError(Code.RESOURCE_EXHAUSTED, 'a request message comes in too many small frames'));
    // Resetting the stream alone would leave the frames of the next one.
    const { session } = http2StreamOf(this.grpcCall.inner);
    process.nextTick(() => session?.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM));
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

  /**
   * Sends a message. Resolves when it has left the buffers of this process; never, if the stream closes before. Rejects
   * after the chain has ended.
   */
  write(message: Uint8Array): Promise<void> {
    if (this.callAbort.hasEnded) return Promise.reject(new Error('the call has been answered'));
    this.commitHeaders();
    this.hold(message.length);
    return new Promise((resolve) => {
      this.grpcCall.sendMessage(message, () => {
        this.release(message.length);
        resolve();
      });
    });
  }

  /** Called when grpc-js has finished the call. */
  private close(): void {
    const { unflushed } = this.options;
    const stream = http2StreamOf(this.grpcCall.inner);
    this.isClosed = true;
    if (!this.callAbort.hasEnded) this.callAbort.abort(cancelReason(this.callerDeadlineAtMs));
    // At the deadline grpc-js finishes a call whose answer is still buffered.
    else if (!stream.destroyed && !hasSentStatus(stream)) return;
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
    const stream = http2StreamOf(this.grpcCall.inner);
    this.releaseAll();
    if (stream.closed) return;
    // A reset overtakes frames that nghttp2 has not written yet, including the status.
    const isWritten = !stream.session?.state.outboundQueueSize;
    if (isWritten || Date.now() > this.resetByMs)
      stream.close(this.isAnswered ? NGHTTP2_NO_ERROR : NGHTTP2_ENHANCE_YOUR_CALM);
    else this.options.unflushed.add(this, Date.now() + unreadMs);
  }
}

function nothing(): void {}

/** Whether the status has left as trailers, or in the headers of an answer without a message. */
function hasSentStatus({ sentTrailers, sentHeaders }: ServerHttp2Stream): boolean {
  return sentTrailers !== undefined || sentHeaders?.['grpc-status'] !== undefined;
}

function firstText(metadata: Values, key: string): string | undefined {
  const value = metadata[key]?.[0];
  return typeof value === 'string' ? value : undefined;
}
