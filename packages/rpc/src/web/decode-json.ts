import { type DescMessage, fromJsonString, type Message, type Registry, toBinary } from '@bufbuild/protobuf';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { countElements } from '../grpc-js/messages/count-elements.ts';
import type { DecodedRequest } from '../grpc-js/messages/decode-request.ts';

/** Size in bytes from which elements are counted, as for binary requests. */
const countedFromBytes = 4096;
/** Maximum number of objects and lists of a message: the 10,000 elements of a binary request, and the message itself. */
const maxParts = 10_001;
/** Memory of a decoded element in bytes. */
const elementBytes = 160;
const maxReasonLength = 256;

const [quote, backslash, brace, bracket] = [0x22, 0x5c, 0x7b, 0x5b];

/**
 * Decodes a request in protobuf's JSON format. Unknown fields are dropped, as in binary. Objects and lists are counted
 * before decoding, and elements before validation, see `decodeRequest`.
 *
 * @throws RpcError INVALID_ARGUMENT for too many elements, and for a text that is not a message of the type.
 */
export function decodeJson(schema: DescMessage, bytes: Uint8Array, registry: Registry): DecodedRequest {
  if (bytes.length >= countedFromBytes && hasMoreParts(bytes, maxParts))
    throw new RpcError(Code.INVALID_ARGUMENT, `the request has over ${maxParts} objects and lists`);
  const message = parse(schema, bytes, registry);
  const elements = bytes.length < countedFromBytes ? 0 : countElements(schema, toBinary(schema, message));
  return { message, sizeBytes: elements * elementBytes };
}

function parse(schema: DescMessage, bytes: Uint8Array, registry: Registry): Message {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return fromJsonString(schema, text, { ignoreUnknownFields: true, registry });
  } catch (cause) {
    // The reason repeats values of the request.
    const reason = (cause as Error).message.slice(0, maxReasonLength);
    throw new RpcError(Code.INVALID_ARGUMENT, `the request is not a valid ${schema.typeName}: ${reason}`, {
      cause,
    });
  }
}

/** Returns whether a JSON text has more than `limit` objects and lists, without parsing it. */
function hasMoreParts(bytes: Uint8Array, limit: number): boolean {
  let count = 0;
  let isInString = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === quote) isInString = !isInString;
    else if (isInString && byte === backslash) index++;
    else if (!isInString && (byte === brace || byte === bracket) && ++count > limit) return true;
  }
  return false;
}
