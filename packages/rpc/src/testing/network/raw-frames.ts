import { once } from 'node:events';
import { createConnection } from 'node:net';

/** A TCP connection that sends single HTTP/2 frames, which Node's client cannot. */
export interface FrameConnection extends Disposable {
  /** Sends the frames in one packet. */
  send(...frames: readonly Buffer[]): void;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<unknown>;
}

export async function connectFrames(port: number): Promise<FrameConnection> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(0x4, 0, 0, Buffer.alloc(0)));
  return {
    send: (...frames) => socket.write(Buffer.concat(frames)),
    closed,
    [Symbol.dispose]: () => socket.destroy(),
  };
}

const streamId = 1;
const endStream = 0x1;
const endHeaders = 0x4;
const cancelCode = Buffer.from([0, 0, 0, 8]);

/** Returns the frame that opens the first stream of a connection. */
export function headersFrame(headers: Readonly<Record<string, string>>): Buffer {
  const fields = Object.entries(headers).flatMap(([name, value]) => [
    Buffer.from([0]), // a literal that is not indexed (RFC 7541, section 6.2.2)
    literal(name),
    literal(value),
  ]);
  return frame(0x1, endHeaders, streamId, Buffer.concat(fields));
}

export function dataFrame(bytes: Uint8Array): Buffer {
  return frame(0x0, 0, streamId, bytes);
}

export const halfCloseFrame = frame(0x0, endStream, streamId, Buffer.alloc(0));

export const resetFrame = frame(0x3, 0, streamId, cancelCode);

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** Encodes a string of up to 126 bytes (RFC 7541, section 5.2). */
function literal(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}
