import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { firstEvent } from './first-event.ts';
import type { GrpcServerCall } from './server-call.ts';

/**
 * Reads a call's messages until the caller half-closes. Throws the signal's reason when the call is aborted.
 *
 * grpc-js's own async iterator destroys the duplex stream when its loop is left, after which no status can be sent. It
 * also never ends on a call that is cancelled between two messages.
 *
 * A grpc-js client that cancels or reaches its deadline half-closes first and resets in the next packet. Until that
 * packet arrives the stream looks complete, so an all-or-nothing handler must check the signal before it commits.
 */
export async function* readMessages(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    signal.throwIfAborted();
    const message: Uint8Array | null = stream.read();
    if (message !== null) yield message;
    else if (stream.readableEnded || stream.destroyed) break;
    else await firstEvent(stream, ['readable', 'end', 'close'], signal);
  }
  // A reset also ends the stream, and grpc-js emits `cancelled` a few ticks later. Without this turn of the event loop a
  // call that is cancelled half way would look complete.
  await nextTurn();
  signal.throwIfAborted();
}

/** Limit of bytes buffered in this process for a caller that reads slowly. */
const maxUnreadBytes = 64 * 1024;
/** Memory of a message in addition to its bytes. */
const messageOverheadBytes = 256;

/**
 * Returns a function that writes a message. It resolves immediately while up to 64 KiB are buffered for the caller, else
 * when the buffer has drained below that. It throws the signal's reason when the call is aborted. grpc-js itself buffers
 * 16 messages of any size.
 */
export function createMessageWriter(call: Pick<GrpcServerCall, 'write' | 'signal'>) {
  const room = new EventEmitter();
  let unreadBytes = 0;
  const send = async (message: Uint8Array) => {
    const sizeBytes = message.length + messageOverheadBytes;
    unreadBytes += sizeBytes;
    // A rejection means that the caller is gone. The signal reports that too.
    await call.write(message).catch(() => {});
    unreadBytes -= sizeBytes;
    room.emit('room');
  };
  return async (message: Uint8Array): Promise<void> => {
    call.signal.throwIfAborted();
    void send(message);
    while (unreadBytes > maxUnreadBytes) await firstEvent(room, ['room'], call.signal);
  };
}
