import { create, type DescMessage, type Message, type MessageShape, toBinary } from '@bufbuild/protobuf';

/** The encoded bytes of each placeholder message. */
const encoded = new WeakMap<Message, Uint8Array>();

/**
 * Encodes a response and returns a placeholder for it: a message without fields, for which the bytes are sent. For a
 * response that goes to many callers or waits for a slow one: its bytes take a fraction of the memory.
 */
export function preEncoded<Response extends DescMessage>(
  schema: Response,
  response: MessageShape<Response>,
): MessageShape<Response> {
  const placeholder = create(schema);
  encoded.set(placeholder, toBinary(schema, response));
  return placeholder;
}

/** Returns the bytes of a placeholder; undefined for any other message. */
export function preEncodedBytes(message: Message): Uint8Array | undefined {
  return encoded.get(message);
}
