import { asBuffer } from '../grpc-js/as-buffer.ts';
import { addChunk } from '../grpc-js/messages/join-chunks.ts';

/** Bytes that arrive in chunks of any size. */
export interface ReceivedBytes {
  readonly sizeBytes: number;
  append(chunk: Uint8Array): void;
  /** Removes the first bytes, of which so many have arrived, and returns them. */
  take(sizeBytes: number): Buffer;
}

/** Creates a queue of bytes, which joins small chunks. */
export function createReceivedBytes(): ReceivedBytes {
  let parts: Uint8Array[] = [];
  let sizeBytes = 0;
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    append: (chunk) => {
      sizeBytes += chunk.length;
      addChunk(parts, chunk);
    },
    take: (takenBytes) => {
      const joined = parts.length === 1 ? asBuffer(parts[0] as Uint8Array) : Buffer.concat(parts);
      sizeBytes -= takenBytes;
      parts = sizeBytes > 0 ? [joined.subarray(takenBytes)] : [];
      return joined.subarray(0, takenBytes);
    },
  };
}
