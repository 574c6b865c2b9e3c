import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { createLeakyBuckets } from '../../limits/leaky-buckets.ts';
import { createFairSemaphore, SemaphoreFullError } from '../../limits/semaphore.ts';

const decompressors = { gzip: promisify(gunzip), deflate: promisify(inflate) };

/** Limits of the process. A running decompression takes up to `maxMessageBytes`, a waiting one its compressed bytes. */
const limits = { permits: 4, maxWaiting: 4096, maxWaitingPerKey: 1024 };
/** Maximum size of a buffer that zlib fills. */
const maxChunkBytes = 1024 * 1024;
/** Limit of decompressed bytes per second and caller, with which the garbage collector can keep up. */
const bytesPerSecond = 32 * 1024 * 1024;

const semaphore = createFairSemaphore(limits);
const buckets = createLeakyBuckets(bytesPerSecond);

/** Whether messages of a call with this `grpc-encoding` can be read. */
export function isSupportedEncoding(encoding: string): boolean {
  return encoding === 'identity' || Object.hasOwn(decompressors, encoding);
}

/**
 * Decompresses a request message. The process decompresses four messages at a time; callers take turns, and each has a
 * limit of 32 MiB per second.
 *
 * @throws RpcError INTERNAL for bytes that are not in the encoding, RESOURCE_EXHAUSTED for a message that is longer than
 * `maxMessageBytes`, or while too many messages wait.
 */
export async function decompress(
  content: Buffer,
  encoding: string,
  { caller, maxMessageBytes }: { caller: string; maxMessageBytes: number },
): Promise<Buffer> {
  // The message's flag says compressed, but the headers name no encoding.
  if (encoding === 'identity')
    throw new RpcError(Code.INTERNAL, 'a compressed message came without a grpc-encoding');
  // Large chunks: zlib would otherwise allocate many small buffers and copy them.
  const options = { maxOutputLength: maxMessageBytes, chunkSize: Math.min(maxMessageBytes, maxChunkBytes) };
  for (let waitMs = buckets.waitMs(caller); waitMs > 0; waitMs = buckets.waitMs(caller)) await sleep(waitMs);
  buckets.take(caller, maxMessageBytes);
  try {
    const message = await decompressInTurn(caller, encoding as keyof typeof decompressors, content, options);
    buckets.refund(caller, maxMessageBytes - message.length);
    return message.length < maxMessageBytes / 2 ? Buffer.from(message) : message;
  } catch (cause) {
    if (cause instanceof SemaphoreFullError)
      throw new RpcError(Code.RESOURCE_EXHAUSTED, 'too many compressed messages wait', { cause });
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new RpcError(
        Code.RESOURCE_EXHAUSTED,
        `the request decompresses to more than ${maxMessageBytes} bytes`,
        { cause },
      );
    throw new RpcError(Code.INTERNAL, 'the request cannot be decompressed', { cause });
  }
}

async function decompressInTurn(
  caller: string,
  encoding: keyof typeof decompressors,
  content: Buffer,
  options: { readonly maxOutputLength: number; readonly chunkSize: number },
): Promise<Buffer> {
  using _permit = await semaphore.acquire(caller);
  return await decompressors[encoding](content, options);
}
