import { IncomingMessage } from 'node:http';
import { Http2ServerRequest } from 'node:http2';
import { isFragmented } from '../grpc-js/messages/join-chunks.ts';
import { prefixBytes } from './envelopes.ts';

/** The chunks of a request's body, as Node delivers them: of HTTP/1.1's chunked encoding, or DATA frames of HTTP/2. */
interface ChunkCount {
  /** Whether the body has come in too many small chunks. */
  readonly isExceeded: boolean;
  /** Permits small messages: each of a stream is a chunk, or two with its prefix. */
  allowStream(): void;
  /** Counts a chunk. Returns whether it is accepted. */
  accepts(chunk: unknown): boolean;
}

/** Average size of the chunks of a stream of messages of one byte. */
const minStreamChunkBytes = (prefixBytes + 1) / 2;

/** @param onExceeded Called once, when the body has come in too many small chunks. */
function createChunkCount(onExceeded: () => void): ChunkCount {
  let minBytes: number | undefined;
  let [chunks, sizeBytes, isExceeded] = [0, 0, false];
  return {
    get isExceeded() {
      return isExceeded;
    },
    allowStream: () => {
      minBytes = minStreamChunkBytes;
    },
    accepts: (chunk) => {
      if (isExceeded || !Buffer.isBuffer(chunk)) return !isExceeded;
      chunks++;
      sizeBytes += chunk.length;
      isExceeded = isFragmented(chunks, sizeBytes, minBytes);
      if (isExceeded) onExceeded();
      return !isExceeded;
    },
  };
}

/** A request of HTTP/1.1, whose connection is closed when the body comes in too many small chunks. */
export class CountedHttp1Request extends IncomingMessage {
  readonly chunkCount = createChunkCount(() => {
    // Bytes that have been read are not parsed: see `serveInSlices`.
    this.socket.pause();
    this.socket.destroy();
  });

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    return this.chunkCount.accepts(chunk) && super.push(chunk, encoding);
  }
}

/** A request of HTTP/2, whose connection is closed when the body comes in too many small frames. */
export class CountedHttp2Request extends Http2ServerRequest {
  readonly chunkCount = createChunkCount(() => {
    const { session } = this.stream;
    // Resetting the stream alone would leave the frames of the next one. nghttp2, which calls this, must return first.
    process.nextTick(() => session?.destroy());
  });

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    return this.chunkCount.accepts(chunk) && super.push(chunk, encoding);
  }
}
