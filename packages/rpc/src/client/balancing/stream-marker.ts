import type { Metadata } from '@grpc/grpc-js';

/**
 * Metadata key that marks a call with a stream of responses. Balancing policies see a call's metadata but not its method,
 * and the duration of a stream is not a latency. The marker is removed before anything is sent.
 */
export const streamMarkerKey = 'x-balancing-stream';

/** Marks a call with a stream of responses. */
export function setStreamMarker(metadata: Metadata): void {
  metadata.set(streamMarkerKey, '1');
}

/** Removes the marker and returns whether it was set. */
export function takeStreamMarker(metadata: Metadata): boolean {
  const isStream = metadata.get(streamMarkerKey).length > 0;
  metadata.remove(streamMarkerKey);
  return isStream;
}
