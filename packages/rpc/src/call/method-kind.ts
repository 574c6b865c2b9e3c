import type { DescMethod } from '@bufbuild/protobuf';

/** Returns whether the caller sends a stream of messages: client streaming and bidirectional streaming. */
export function hasRequestStream({ methodKind }: DescMethod): boolean {
  return methodKind === 'client_streaming' || methodKind === 'bidi_streaming';
}

/** Returns whether the server sends a stream of messages: server streaming and bidirectional streaming. */
export function hasResponseStream({ methodKind }: DescMethod): boolean {
  return methodKind === 'server_streaming' || methodKind === 'bidi_streaming';
}
