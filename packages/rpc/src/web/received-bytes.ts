import { asBuffer } from '../grpc-js/as-buffer.ts';

/** Bytes that arrive in chunks of any size. */
export interface ReceivedBytes {
  readonly sizeBytes: number;
  append(chunk: Uint8Array): void;
  /** Removes the first bytes, of which so many have arrived, and returns them. */
  take(sizeBytes: number): Buffer;
}

/** Size up to which parts are joined. */
const joinedBytes = 32 * 1024;

/**
 * Creates a queue of bytes. A caller can send byte by byte, so a small chunk is joined with the parts before it that are no
 * longer than the bytes after them. The part of a copied byte at least doubles, so that no byte is copied over 17 times.
 */
export function createReceivedBytes(): ReceivedBytes {
  let parts: Uint8Array[] = [];
  let sizeBytes = 0;
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    append: (chunk) => {
      sizeBytes += chunk.length;
      let start = parts.length;
      let tailBytes = chunk.length;
      for (let before = parts[start - 1]; before && tailBytes <= joinedBytes; before = parts[start - 1]) {
        if (before.length > tailBytes) break;
        start--;
        tailBytes += before.length;
      }
      parts.push(start === parts.length ? chunk : Buffer.concat([...parts.splice(start), chunk]));
    },
    take: (takenBytes) => {
      const joined = parts.length === 1 ? asBuffer(parts[0] as Uint8Array) : Buffer.concat(parts);
      sizeBytes -= takenBytes;
      parts = sizeBytes > 0 ? [joined.subarray(takenBytes)] : [];
      return joined.subarray(0, takenBytes);
    },
  };
}
