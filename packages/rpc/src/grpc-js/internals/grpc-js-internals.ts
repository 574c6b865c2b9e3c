import type { ServerHttp2Stream, ServerOptions } from 'node:http2';
import { Metadata, type Server, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { comesInFragments, type Decoder, decodeChunk, discardChunks } from './message-decoder.ts';

/**
 * The private parts of grpc-js that the server uses. grpc-js has no public way to limit what it buffers and decompresses
 * for a call, or to reset a call's stream. `grpc-js-internals.test.ts` fails when an upgrade changes one of these parts.
 */
interface ReceivingCall {
  readonly stream: ServerHttp2Stream;
  listener: object | null;
  metadata: Metadata;
  decoder: ReceivingDecoder;
  /** Called with the framed message: a flag, four bytes of length, and the content. */
  decompressMessage(framed: Buffer, encoding: string): Buffer | Promise<Buffer>;
  deadlineTimer: NodeJS.Timeout | null;
  [receiverOf]?: Receiver | undefined;
}

interface ReceivingDecoder extends Decoder {
  [receiverOf]?: Receiver | undefined;
}

const receiverOf = Symbol('receiver');

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

/** grpc-js's own call, which an interceptor gets. */
type InnerCall = ServerInterceptingCallInterface;

const frameHeaderBytes = 5;

/** Returns the HTTP/2 stream of a call. */
export function http2StreamOf(call: InnerCall): ServerHttp2Stream {
  return privatePart(call).stream;
}

/**
 * Passes the request of a call through the receiver. Must be called before the first message is read. A released call receives
 * nothing, and must not keep the receiver.
 */
export function receiveThrough(call: InnerCall, receiver: Receiver): void {
  const receiving = privatePart(call);
  const { decoder } = receiving;
  if (decoder === discardingDecoder) return;
  decoder.maxReadMessageLength = receiver.maxMessageBytes;
  decoder[receiverOf] = receiver;
  decoder.write = writeThrough;
  receiving[receiverOf] = receiver;
  receiving.decompressMessage = decompressThrough;
}

/**
 * Drops what grpc-js keeps of a finished call. The maps of node:http2 keep closed streams in memory until the next full garbage
 * collection, with all that they reference (ADR 51).
 */
export function releaseCall(call: InnerCall): void {
  const finished = privatePart(call);
  finished.listener = null;
  finished.metadata = noMetadata;
  finished.decoder = discardingDecoder;
  finished.deadlineTimer = null;
  finished[receiverOf] = undefined;
}

const noMetadata = new Metadata();
/** Shared by finished calls, none of which decodes any more. */
const discardingDecoder: ReceivingDecoder = {
  maxReadMessageLength: 0,
  readState: 0,
  readMessageSize: 0,
  readCompressFlag: Buffer.of(0),
  readPartialMessage: [],
  write: () => [],
};

/** Discards the request of a call. It must not be read before or after. */
export function discardReceived(call: InnerCall): void {
  const { decoder, stream } = privatePart(call);
  discardChunks(decoder);
  stream.resume();
}

/** Whether the request, as far as it has been read, ends within a message. */
export function hasPartialMessage(call: InnerCall): boolean {
  return privatePart(call).decoder.readState !== 0;
}

/** Replaces the decoder's `write`. Like `decompressThrough` shared by all calls: closures per call cost as much as a span. */
function writeThrough(this: ReceivingDecoder, chunk: Buffer): Buffer[] {
  const receiver = this[receiverOf] as Receiver;
  receiver.onBytes(chunk.length);
  try {
    const messages = decodeChunk(this, chunk);
    if (comesInFragments(this)) {
      discardChunks(this);
      receiver.onFragmented();
    }
    return messages;
  } catch {
    // The decoder throws only when a message announces a length over the limit.
    receiver.onOversized();
    return [];
  }
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
export function disableDeadline(call: InnerCall): void {
  const { deadlineTimer } = privatePart(call);
  if (deadlineTimer) clearTimeout(deadlineTimer);
}

function privatePart(call: InnerCall): ReceivingCall {
  return call as unknown as ReceivingCall;
}
