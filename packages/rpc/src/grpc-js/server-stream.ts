import { EventEmitter } from 'node:events';
import { firstEvent } from './first-event.ts';
import type { GrpcServerCall } from './server-call.ts';

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
    // Rejected when the call has been answered.
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
