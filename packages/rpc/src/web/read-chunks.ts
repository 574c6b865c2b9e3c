import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { firstEvent } from '../grpc-js/first-event.ts';

/**
 * Reads the body of a request to its end. Throws the signal's reason when the call is aborted. The iterator of a Readable would
 * destroy the request when its loop is left, after which no status can be sent.
 */
export async function* readChunks(body: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    signal.throwIfAborted();
    const chunk: Uint8Array | null = body.read();
    if (chunk !== null) yield chunk;
    else if (body.readableEnded || body.destroyed) break;
    else await firstEvent(body, ['readable', 'end', 'close'], signal);
  }
  // A reset also ends the stream, and closes the call a few ticks later. Without this turn of the event loop a call that is
  // cancelled half way would look complete.
  await nextTurn();
  signal.throwIfAborted();
}
