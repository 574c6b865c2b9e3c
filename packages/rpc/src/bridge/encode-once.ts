import type { Message } from '@bufbuild/protobuf';

/** The bytes of the responses that go to many callers, once they are made. */
const encoded = new WeakMap<Message, { bytes?: Uint8Array }>();

/** Marks a response that goes to many callers, so that it is encoded for the first of them only. Not to be changed after. */
export function encodeOnce<Response extends Message>(response: Response): Response {
  encoded.set(response, {});
  return response;
}

/** The message's bytes: for one that is marked, those of the first time. */
export function encodedBytes(message: Message, encode: () => Uint8Array): Uint8Array {
  const kept = encoded.get(message);
  if (!kept) return encode();
  kept.bytes ??= encode();
  return kept.bytes;
}
