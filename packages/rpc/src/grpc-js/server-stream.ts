import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OpenServerCall } from './server-call.ts';
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

/** What may wait in this process's buffers for a caller that reads slowly. */
const maxUnreadBytes = 64 * 1024;
/** What a message takes beside its bytes, an empty one too. */
const messageOverheadBytes = 256;

/**
 * Writes messages one after the other. Resolves at once while less than 64 KiB wait for the caller, and else when room
 * has come; throws the signal's reason when the call is aborted. grpc-js itself would take 16 messages, of any size.
 */
export function writeInTurn(call: Pick<OpenServerCall, 'write' | 'signal'>) {
  const room = new EventEmitter();
  let unreadBytes = 0;
  const send = async (message: Uint8Array) => {
    const sizeBytes = message.length + messageOverheadBytes;
    unreadBytes += sizeBytes;
    // It rejects when the caller has gone, which the signal tells too.
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
