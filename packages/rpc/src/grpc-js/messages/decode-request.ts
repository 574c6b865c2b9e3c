import { type DescMessage, fromBinary, type Message } from '@bufbuild/protobuf';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { countElements } from './count-elements.ts';

export interface DecodedRequest {
  readonly message: Message;
  /** Estimate of the memory that it takes beside its bytes. */
  readonly sizeBytes: number;
}

/** A shorter message cannot hold enough elements to hurt. */
const countedFromBytes = 4096;
/** What an element takes decoded: an empty message 150 bytes, of 2 on the wire. */
const elementBytes = 160;

/**
 * Decodes a request. Its elements are counted before anything is made of them: a message of 1 MiB can hold 500,000
 * empty ones, which take 100 MiB decoded and seconds to validate. Unknown fields are dropped.
 *
 * @throws RpcError INVALID_ARGUMENT for too many elements (see `countElements`), INTERNAL for bytes that are no such
 * message.
 */
export function decodeRequest(schema: DescMessage, bytes: Uint8Array): DecodedRequest {
  try {
    const elements = bytes.length < countedFromBytes ? 0 : countElements(schema, bytes);
    const message = fromBinary(schema, bytes, { readUnknownFields: false });
    return { message, sizeBytes: elements * elementBytes };
  } catch (cause) {
    if (cause instanceof RpcError) throw cause;
    throw new RpcError(Code.INTERNAL, `the request is no ${schema.typeName}`, { cause });
  }
}
