import { addChunk, isFragmented } from '../messages/join-chunks.ts';

/** The decoder of messages in grpc-js's calls, on both sides. `grpc-js-internals.test.ts` fails when an upgrade changes it. */
export interface Decoder {
  maxReadMessageLength: number;
  /** 0 between two messages. */
  readonly readState: number;
  /** Length that the header of the last message has announced. */
  readonly readMessageSize: number;
  /** The first byte of the last message, as a view of the packet that it came in. */
  readCompressFlag: Buffer;
  /** The parts of the last message, as far as it has been read. */
  readonly readPartialMessage: Buffer[];
  write(chunk: Buffer): Buffer[];
  /** Number of chunks of the message that is being read. */
  [chunksOf]?: number;
}

const chunksOf = Symbol('chunks');

/**
 * Decodes a chunk, and returns the messages that it completes. Keeps the rest in few parts of their own size.
 *
 * @throws Error when a message announces a length over the limit.
 */
export function decodeChunk(decoder: Decoder, chunk: Buffer): Buffer[] {
  const messages = (Object.getPrototypeOf(decoder) as Decoder).write.call(decoder, chunk);
  keepSmall(decoder);
  decoder[chunksOf] = decoder.readState === 0 ? 0 : (decoder[chunksOf] ?? 0) + 1;
  return messages;
}

/** Whether the unfinished message comes in so many small chunks that reading them keeps the process from other work. */
export function comesInFragments({ readPartialMessage: parts, [chunksOf]: chunks = 0 }: Decoder): boolean {
  return isFragmented(
    chunks,
    parts.reduce((sum, { length }) => sum + length, 0),
  );
}

/** Makes a decoder drop all further chunks. */
export function discardChunks(decoder: Decoder): void {
  decoder.write = discardChunk;
}

function discardChunk(): Buffer[] {
  return [];
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
