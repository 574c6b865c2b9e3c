import type { Metadata } from '@grpc/grpc-js';

/**
 * Balancing policies see a call's metadata, but neither its method nor when its first message came: a mark tells them
 * that it is a stream, whose length says nothing of how fast a replica is. It is taken out before anything is sent.
 */
export const streamMarkerKey = 'x-balancing-stream';

/** Marks a call that is answered with a stream. */
export function setStreamMarker(metadata: Metadata): void {
  metadata.set(streamMarkerKey, '1');
}

/** Whether a call is a stream. The mark is gone afterwards. */
export function takeStreamMarker(metadata: Metadata): boolean {
  const isStream = metadata.get(streamMarkerKey).length > 0;
  metadata.remove(streamMarkerKey);
  return isStream;
}
