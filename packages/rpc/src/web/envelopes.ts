import { Code, RpcError } from '../errors/rpc-error.ts';
import { createReceivedBytes } from './received-bytes.ts';

/** A message with its flags. */
export interface Envelope {
  readonly isCompressed: boolean;
  readonly content: Buffer;
}

/** Size of the prefix of each message: flags, and the length in four bytes. */
export const prefixBytes = 5;
const compressedFlag = 1;

/**
 * Splits the body of a request into its messages (Connect's and gRPC's length-prefixed messages).
 *
 * @throws RpcError RESOURCE_EXHAUSTED for a message that announces more than `maxBytes`, INVALID_ARGUMENT for unknown flags
 * and for a body that ends within a message.
 */
export async function* splitEnvelopes(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Envelope> {
  const received = createReceivedBytes();
  let neededBytes = prefixBytes;
  let flags: number | undefined;
  for await (const chunk of chunks) {
    received.append(chunk);
    while (received.sizeBytes >= neededBytes) {
      const head = received.take(neededBytes);
      if (flags === undefined) {
        flags = head.readUInt8(0);
        neededBytes = head.readUInt32BE(1);
        if ((flags & ~compressedFlag) !== 0)
          throw new RpcError(Code.INVALID_ARGUMENT, `a request message has unknown flags: ${flags}`);
        if (neededBytes > maxBytes) throw oversized(maxBytes);
      } else {
        yield { isCompressed: flags === compressedFlag, content: head };
        flags = undefined;
        neededBytes = prefixBytes;
      }
    }
  }
  if (received.sizeBytes > 0 || flags !== undefined)
    throw new RpcError(Code.INVALID_ARGUMENT, 'the request ends within a message');
}

export function oversized(maxBytes: number): RpcError {
  return new RpcError(Code.RESOURCE_EXHAUSTED, `a request message takes over ${maxBytes} bytes`);
}
