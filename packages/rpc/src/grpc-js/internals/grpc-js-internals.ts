import type { ServerHttp2Stream, ServerOptions } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { addChunk, isFragmented } from '../messages/join-chunks.ts';

/**
 * The private parts of grpc-js that the server uses. grpc-js has no public way to limit what it buffers and decompresses
 * for a call, or to reset a call's stream. `grpc-js-internals.test.ts` fails when an upgrade changes one of these parts.
 */
interface ReceivingCall {
  readonly stream: ServerHttp2Stream;
  readonly decoder: Decoder;
  /** Called with the framed message: a flag, four bytes of length, and the content. */
  decompressMessage(framed: Buffer, encoding: string): Buffer | Promise<Buffer>;
  readonly deadlineTimer: NodeJS.Timeout | null;
  [receiverOf]?: Receiver;
}

interface Decoder {
  maxReadMessageLength: number;
  /** 0 between two messages. */
  readonly readState: number;
  /** The first byte of the last message, as a view of the packet that it came in. */
  readCompressFlag: Buffer;
  /** The parts of the last message, as far as it has been read. */
  readonly readPartialMessage: Buffer[];
  write(chunk: Buffer): Buffer[];
  [receiverOf]?: Receiver;
  /** Number of chunks of the message that is being read. */
  [chunksOf]?: number;
}

const receiverOf = Symbol('receiver');
const chunksOf = Symbol('chunks');

/** Receives the bytes of a call's request in place of grpc-js. */
export interface Receiver {
  readonly maxMessageBytes: number;
  /** Called with the size of each chunk of the request before it is buffered. */
  onBytes(sizeBytes: number): void;
  /** Called for a message over `maxMessageBytes`, for which grpc-js would send a status of its own. */
  onOversized(): void;
  /** Called for a message in so many small chunks that reading them keeps the process from other work. */
  onFragmented(): void;
  /** Decompresses a message. A promise that never settles stops the reading. */
  decompress(content: Buffer, encoding: string): Promise<Buffer>;
}

/** Any of grpc-js's four server calls. */
type GrpcCall = object;

const frameHeaderBytes = 5;

/** Returns the HTTP/2 stream of a call. */
export function http2StreamOf(grpcCall: GrpcCall): ServerHttp2Stream {
  return privatePart(grpcCall).stream;
}

/** Passes the request of a call through the receiver. Must be called before the first message is read. */
export function receiveThrough(grpcCall: GrpcCall, receiver: Receiver): void {
  const call = privatePart(grpcCall);
  const { decoder } = call;
  decoder.maxReadMessageLength = receiver.maxMessageBytes;
  decoder[receiverOf] = receiver;
  decoder.write = writeThrough;
  call[receiverOf] = receiver;
  call.decompressMessage = decompressThrough;
}

/** Discards the request of a call. It must not be read before or after. */
export function discardReceived(grpcCall: GrpcCall): void {
  const { decoder, stream } = privatePart(grpcCall);
  decoder.write = discardChunk;
  stream.resume();
}

/** Whether the request, as far as it has been read, ends within a message. */
export function hasPartialMessage(grpcCall: GrpcCall): boolean {
  return privatePart(grpcCall).decoder.readState !== 0;
}

function discardChunk(): Buffer[] {
  return [];
}

/** Replaces the decoder's `write`. Like `decompressThrough` shared by all calls: closures per call cost as much as a span. */
function writeThrough(this: Decoder, chunk: Buffer): Buffer[] {
  const receiver = this[receiverOf] as Receiver;
  receiver.onBytes(chunk.length);
  try {
    const messages = (Object.getPrototypeOf(this) as Decoder).write.call(this, chunk);
    keepSmall(this);
    if (comesInFragments(this)) {
      this.write = discardChunk;
      receiver.onFragmented();
    }
    return messages;
  } catch {
    // The decoder throws only when a message announces a length over the limit.
    receiver.onOversized();
    return [];
  }
}

const flags = [Buffer.of(0), Buffer.of(1)];

/** Joins small parts of an unfinished message, and drops those of a finished one. grpc-js keeps both as they arrived. */
function keepSmall(decoder: Decoder): void {
  const { readState, readPartialMessage: parts, readCompressFlag } = decoder;
  const [flag = 0] = readCompressFlag;
  decoder.readCompressFlag = flags[flag] ?? Buffer.of(flag);
  if (readState === 0) {
    parts.length = 0;
    return;
  }
  const last = parts.pop();
  if (last) addChunk(parts, last);
}

/** Counts a chunk. */
function comesInFragments(decoder: Decoder): boolean {
  const { readState, readPartialMessage: parts } = decoder;
  const chunks = readState === 0 ? 0 : (decoder[chunksOf] ?? 0) + 1;
  decoder[chunksOf] = chunks;
  return isFragmented(
    chunks,
    parts.reduce((sum, { length }) => sum + length, 0),
  );
}

function decompressThrough(this: ReceivingCall, framed: Buffer, encoding: string): Buffer | Promise<Buffer> {
  const content = framed.subarray(frameHeaderBytes);
  return framed[0] === 0 ? content : (this[receiverOf] as Receiver).decompress(content, encoding);
}

/**
 * Sets HTTP/2 options that grpc-js does not expose. Must be called before the server listens.
 *
 * @param maxHeaderListBytes Node resets a stream whose header list is longer.
 */
export function setHeaderOptions(server: Server, maxHeaderListBytes: number): void {
  const { commonServerOptions } = server as unknown as { commonServerOptions: ServerOptions };
  commonServerOptions.settings = { ...commonServerOptions.settings, maxHeaderListSize: maxHeaderListBytes };
  // Otherwise Node drops a header that ends in a space.
  commonServerOptions.strictFieldWhitespaceValidation = false;
}

/** Removes grpc-js's deadline timer of a call, which is limited to 31 bits of milliseconds. */
export function disableDeadline(grpcCall: GrpcCall): void {
  const { deadlineTimer } = privatePart(grpcCall);
  if (deadlineTimer) clearTimeout(deadlineTimer);
}

/** Returns grpc-js's inner call. */
function privatePart(grpcCall: GrpcCall): ReceivingCall {
  return (grpcCall as { call: ReceivingCall }).call;
}
