import { type DescMessage, type Message, toBinary } from '@bufbuild/protobuf';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { preEncodedBytes } from '../grpc-js/messages/pre-encoded.ts';

/**
 * Encodes a response. The protocol would reject a message over the limit only after the chain logged the call as OK.
 *
 * @throws RpcError RESOURCE_EXHAUSTED for a message over the limit.
 */
export function encodeResponse(schema: DescMessage, message: Message, maxBytes: number): Uint8Array {
  const bytes = preEncodedBytes(message) ?? toBinary(schema, message);
  if (bytes.length <= maxBytes) return bytes;
  throw new RpcError(
    Code.RESOURCE_EXHAUSTED,
    `the response takes ${bytes.length} bytes, at most ${maxBytes} are allowed`,
  );
}
