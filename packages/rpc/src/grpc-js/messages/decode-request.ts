import { type DescMessage, fromBinary, type Message } from '@bufbuild/protobuf';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { countElements } from './count-elements.ts';

export interface DecodedRequest {
  readonly message: Message;
  /** Estimate of the memory that the message takes in addition to its encoded bytes. */
  readonly sizeBytes: number;
}

/** Size in bytes from which elements are counted. A shorter message cannot contain a harmful number. */
const countedFromBytes = 4096;
/** Memory of a decoded element. An empty message takes 150 bytes, and 2 on the wire. */
const elementBytes = 160;

/**
 * Decodes a request. Elements are counted before decoding: a message of 1 MiB can contain 500,000 empty messages, which
 * take 100 MiB decoded and seconds to validate. Unknown fields are dropped.
 *
 * @throws RpcError INVALID_ARGUMENT for too many elements (see `countElements`), INTERNAL for bytes that are not a
 * message of the type.
 */
export function decodeRequest(schema: DescMessage, bytes: Uint8Array): DecodedRequest {
  try {
    const elements = bytes.length < countedFromBytes ? 0 : countElements(schema, bytes);
    const message = fromBinary(schema, bytes, { readUnknownFields: false });
    return { message, sizeBytes: elements * elementBytes };
  } catch (cause) {
    if (cause instanceof RpcError) throw cause;
    throw new RpcError(Code.INTERNAL, `the request is not a valid ${schema.typeName}`, { cause });
  }
}
