/** Size up to which chunks are joined. */
const joinedBytes = 4096;
/** Multiple of a chunk's size up to which the packet that it came in may be kept with it. */
const maxPacketRatio = 4;

/**
 * Adds a chunk to the parts of a message that is not complete. A caller can send byte by byte, and the object of a Buffer takes
 * far more memory than its byte. So a small chunk is joined with the parts before it that are no longer than the bytes after
 * them. The part of a copied byte at least doubles, so that no byte is copied over 14 times.
 */
export function addChunk(parts: Uint8Array[], chunk: Uint8Array): void {
  let start = parts.length;
  let tailBytes = chunk.length;
  for (let before = parts[start - 1]; before && tailBytes <= joinedBytes; before = parts[start - 1]) {
    if (before.length > tailBytes) break;
    start--;
    tailBytes += before.length;
  }
  parts.push(start === parts.length ? ownBytes(chunk) : join([...parts.splice(start), chunk], tailBytes));
}

/** Returns the bytes without the rest of a large packet that they came in, which a view would keep in memory. */
function ownBytes(chunk: Uint8Array): Uint8Array {
  return chunk.buffer.byteLength > maxPacketRatio * chunk.length ? join([chunk], chunk.length) : chunk;
}

/** Joins chunks in memory of their own. `Buffer.concat` takes it from a pool of 64 KiB, which a part of it would keep. */
function join(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const joined = Buffer.allocUnsafeSlow(sizeBytes);
  let start = 0;
  for (const chunk of chunks) {
    joined.set(chunk, start);
    start += chunk.length;
  }
  return joined;
}

/** Chunks of a message that may be of any size, */
const anyChunks = 1000;
/** and the average size of more. Clients cut a message into frames of 16 KiB. */
const minChunkBytes = 64;

/** Returns whether a message comes in so many small chunks that reading them keeps the process from other work. */
export function isFragmented(chunks: number, sizeBytes: number, minBytes: number = minChunkBytes): boolean {
  return sizeBytes < (chunks - anyChunks) * minBytes;
}
