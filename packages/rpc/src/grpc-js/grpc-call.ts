import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { releaseCall } from './internals/grpc-js-internals.ts';
import { toWireStatus } from './internals/wire-status.ts';

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];
type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** Receives the next message of a request, or its end. */
export interface RequestReader {
  onMessage(message: Uint8Array): void;
  onEnd(): void;
}

/** Interceptor of a server whose services are added by `addMethods`. */
export const startOnHeaders: ServerInterceptor = (_method, call) => new GrpcCall(call);

/**
 * A call whose handler grpc-js calls when the headers arrive. grpc-js calls the handler of a unary method with the request
 * message. This interceptor (gRFC L112) passes itself as that message, on the headers, and the chain reads the messages from
 * it. Methods of all kinds are registered as unary, so grpc-js creates no stream of messages for any of them.
 */
export class GrpcCall extends ServerInterceptingCall implements Listener {
  /** grpc-js's own call. */
  readonly inner: ServerInterceptingCallInterface;
  /** Sent with the status OK. */
  trailers: Metadata | undefined;
  /** Called once, when grpc-js has sent the status, or when the stream has closed. */
  onClosed: () => void = nothing;
  private listener: Listener | undefined;
  private reader: RequestReader | undefined;
  private isHandled = false;

  constructor(inner: ServerInterceptingCallInterface) {
    super(inner);
    this.inner = inner;
  }

  override start(listener: Listener): void {
    this.listener = listener;
    this.inner.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.listener?.onReceiveMetadata(metadata);
  }

  /** Called by grpc-js to read the message for its handler, and then the end of the request. */
  override startRead(): void {
    if (this.isHandled) this.listener?.onReceiveHalfClose();
    else {
      this.isHandled = true;
      this.listener?.onReceiveMessage(this);
    }
  }

  /** Calls the reader once, with the next message or the end. The request of a finished call has ended. */
  read(reader: RequestReader): void {
    this.reader = reader;
    if (this.listener) this.inner.startRead();
    else this.onReceiveHalfClose();
  }

  onReceiveMessage(message: Uint8Array): void {
    this.takeReader()?.onMessage(message);
  }

  onReceiveHalfClose(): void {
    this.takeReader()?.onEnd();
  }

  /** Called once by grpc-js, after every call. Drops all references, see `releaseCall`. */
  onCancel(): void {
    const { onClosed } = this;
    releaseCall(this.inner);
    this.listener = undefined;
    this.onClosed = nothing;
    onClosed();
    // After the abort, so that the end is seen only by a reader that outlives its call.
    this.onReceiveHalfClose();
  }

  private takeReader(): RequestReader | undefined {
    const { reader } = this;
    this.reader = undefined;
    return reader;
  }

  override sendMetadata(metadata: Metadata): void {
    this.inner.sendMetadata(metadata);
  }

  /** Without a message, as at the end of a stream of responses, it calls back immediately. */
  override sendMessage(message: Uint8Array | undefined, callback: () => void): void {
    if (message) this.inner.sendMessage(message, callback);
    else callback();
  }

  override sendStatus(status: Status): void {
    this.inner.sendStatus(toWireStatus(status, this.trailers));
  }
}

function nothing(): void {}
