import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { createFairSemaphore, SemaphoreFullError } from '../../limits/semaphore.ts';
import { createPace } from './pace.ts';

const decompressors = { gzip: promisify(gunzip), deflate: promisify(inflate) };

/** Each may take `maxMessageBytes` while it works, and the next in line only its compressed bytes. */
const limits = { permits: 4, maxWaiting: 4096, maxWaitingPerKey: 1024 };
/** What a caller may have decompressed in a second: the garbage collector has to keep up with it. */
const bytesPerSecond = 32 * 1024 * 1024;

const semaphore = createFairSemaphore(limits);
const pace = createPace(bytesPerSecond);

/**
 * Decompresses a request message. A few at a time in the whole process, callers in turn, and no caller more than 32 MiB
 * a second.
 *
 * @throws RpcError UNIMPLEMENTED for an unknown encoding, INTERNAL for bytes that are not so encoded,
 * RESOURCE_EXHAUSTED for a message that is longer than `maxMessageBytes`, or while too many wait.
 */
export async function decompress(
  content: Buffer,
  encoding: string,
  { caller, maxMessageBytes }: { caller: string; maxMessageBytes: number },
): Promise<Buffer> {
  // The flag says compressed, and the headers do not say how.
  if (encoding === 'identity')
    throw new RpcError(Code.INTERNAL, 'a compressed message came without a grpc-encoding');
  if (encoding !== 'gzip' && encoding !== 'deflate')
    throw new RpcError(
      Code.UNIMPLEMENTED,
      'the grpc-encoding is not supported: send gzip, deflate or identity',
    );
  // Into one buffer: zlib would otherwise make many small ones, and copy them.
  const options = { maxOutputLength: maxMessageBytes, chunkSize: maxMessageBytes };
  for (let waitMs = pace.waitMs(caller); waitMs > 0; waitMs = pace.waitMs(caller)) await sleep(waitMs);
  pace.take(caller, maxMessageBytes);
  try {
    const message = await decompressInTurn(caller, encoding, content, options);
    pace.giveBack(caller, maxMessageBytes - message.length);
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
