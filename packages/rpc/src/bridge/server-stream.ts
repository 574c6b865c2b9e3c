import type { Readable, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { firstEvent } from './stream-wait.ts';

/**
 * Reads a call's messages until the caller half-closes; throws the signal's reason when the call is aborted.
 *
 * grpc-js's own async iterator destroys the duplex stream when its loop is left, after which no status can be sent
 * any more, and it never ends on a call that is cancelled between two messages.
 *
 * A grpc-js client that cancels, or meets its deadline, half-closes first and resets in its next packet: until that is
 * here the stream looks whole. So a handler that does all or nothing asks the signal again before it commits.
 */
export async function* readMessages(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    signal.throwIfAborted();
    const message: Uint8Array | null = stream.read();
    if (message !== null) yield message;
    else if (stream.readableEnded || stream.destroyed) break;
    else await firstEvent(stream, ['readable', 'end', 'close'], signal);
  }
  // A reset ends the stream too, and grpc-js says 'cancelled' only some ticks later. Without this turn of the event loop
  // every call that is cancelled half way would look like one whose messages have all come.
  await nextTurn();
  signal.throwIfAborted();
}

/** Writes a message and waits for room; throws the signal's reason when the call is aborted. */
export async function writeMessage(
  stream: Writable,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  // 'drain' alone never comes on a cancelled call.
  if (!stream.write(message)) await firstEvent(stream, ['drain', 'close', 'error'], signal);
}
