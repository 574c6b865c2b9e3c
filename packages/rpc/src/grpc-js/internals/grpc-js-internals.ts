import type { ServerHttp2Stream, ServerOptions } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/**
 * Everything private of grpc-js that the server uses. grpc-js has no public way to bound what it buffers and inflates
 * for a call, or to reset a call's stream; `grpc-js-internals.test.ts` fails when an upgrade changes one of these.
 */
interface ReceivingCall {
  readonly stream: ServerHttp2Stream;
  readonly decoder: Decoder;
  /** Called with the framed message: a flag, four bytes of length, the content. */
  decompressMessage(framed: Buffer, encoding: string): Buffer | Promise<Buffer>;
  readonly deadlineTimer: NodeJS.Timeout | null;
  [receiverOf]?: Receiver;
}

interface Decoder {
  maxReadMessageLength: number;
  write(chunk: Buffer): Buffer[];
  [receiverOf]?: Receiver;
}

const receiverOf = Symbol('receiver');

/** What receives the bytes of a call's request in place of grpc-js. */
export interface Receiver {
  readonly maxMessageBytes: number;
  /** Called with each piece of the request before it is buffered. */
  onBytes(sizeBytes: number): void;
  /** Called instead of grpc-js's own status when a message is longer than `maxMessageBytes`. */
  onOversized(): void;
  /** Decompresses a message. One that never settles ends the reading. */
  decompress(content: Buffer, encoding: string): Promise<Buffer>;
}

/** Any of grpc-js's four server calls. */
type GrpcCall = object;

const frameHeaderBytes = 5;

/** The HTTP/2 stream of a call. */
export function http2StreamOf(grpcCall: GrpcCall): ServerHttp2Stream {
  return privatePart(grpcCall).stream;
}

/** Lets the receiver see and bound the request of a call. To be called before the first message is read. */
export function receiveThrough(grpcCall: GrpcCall, receiver: Receiver): void {
  const call = privatePart(grpcCall);
  const { decoder } = call;
  decoder.maxReadMessageLength = receiver.maxMessageBytes;
  decoder[receiverOf] = receiver;
  decoder.write = writeThrough;
  call[receiverOf] = receiver;
  call.decompressMessage = decompressThrough;
}

/** Lets the request of a call flow into nothing. Nothing of it may have been read, or be read later. */
export function discardReceived(grpcCall: GrpcCall): void {
  const { decoder, stream } = privatePart(grpcCall);
  decoder.write = writeToNothing;
  stream.resume();
}

function writeToNothing(): Buffer[] {
  return [];
}

/** The decoder's `write`. One function for all calls, as the next one: closures of each would cost as much as a span. */
function writeThrough(this: Decoder, chunk: Buffer): Buffer[] {
  const receiver = this[receiverOf] as Receiver;
  receiver.onBytes(chunk.length);
  try {
    return (Object.getPrototypeOf(this) as Decoder).write.call(this, chunk);
  } catch {
    // It throws for one reason only: the length that the message announces.
    receiver.onOversized();
    return [];
  }
}

function decompressThrough(this: ReceivingCall, framed: Buffer, encoding: string): Buffer | Promise<Buffer> {
  const content = framed.subarray(frameHeaderBytes);
  return framed[0] === 0 ? content : (this[receiverOf] as Receiver).decompress(content, encoding);
}

/**
 * Sets what grpc-js has no option for. To be called before the server listens.
 *
 * @param maxHeaderListBytes Node resets a stream whose header list is longer.
 */
export function setHeaderOptions(server: Server, maxHeaderListBytes: number): void {
  const { commonServerOptions } = server as unknown as { commonServerOptions: ServerOptions };
  commonServerOptions.settings = { ...commonServerOptions.settings, maxHeaderListSize: maxHeaderListBytes };
  // Otherwise Node drops a header that ends in a space, as if the caller had not sent it.
  commonServerOptions.strictFieldWhitespaceValidation = false;
}

/** Takes the deadline from grpc-js, whose timers hold no more than 31 bits of milliseconds. */
export function disableDeadline(grpcCall: GrpcCall): void {
  const { deadlineTimer } = privatePart(grpcCall);
  if (deadlineTimer) clearTimeout(deadlineTimer);
}

/** grpc-js's inner call, without interceptors of its own around it. */
function privatePart(grpcCall: GrpcCall): ReceivingCall {
  return (grpcCall as { call: ReceivingCall }).call;
}
