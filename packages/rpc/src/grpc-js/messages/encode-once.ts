import { create, type DescMessage, type Message, type MessageShape, toBinary } from '@bufbuild/protobuf';

/** The bytes that messages stand for. */
const encoded = new WeakMap<Message, Uint8Array>();

/**
 * Encodes a response, and returns a message that stands for it: its fields are unset, and the bytes are sent. For a response
 * that goes to many callers, or that a slow caller keeps waiting: as bytes it takes a fraction of the memory.
 */
export function preEncoded<Response extends DescMessage>(
  schema: Response,
  response: MessageShape<Response>,
): MessageShape<Response> {
  const standIn = create(schema);
  encoded.set(standIn, toBinary(schema, response));
  return standIn;
}

/** Returns the message's bytes: those that it stands for, or else the encoded message. */
export function encodedBytes(message: Message, encode: () => Uint8Array): Uint8Array {
  return encoded.get(message) ?? encode();
}
