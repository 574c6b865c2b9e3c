import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

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
  socket.write(preface);
  socket.write(settingsFrame);
  return {
    send: (...frames) => socket.write(Buffer.concat(frames)),
    closed,
    [Symbol.dispose]: () => socket.destroy(),
  };
}

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const headersType = 0x1;
const streamId = 1;
const endStream = 0x1;
const endHeaders = 0x4;
const cancelCode = Buffer.from([0, 0, 0, 8]);

/** Returns a header list of the first stream of a connection: the one that opens it, or, as the last frame, its trailers. */
export function headersFrame(headers: Readonly<Record<string, string>>, { isLast = false } = {}): Buffer {
  const fields = Object.entries(headers).flatMap(([name, value]) => [
    Buffer.from([0]), // a literal that is not indexed (RFC 7541, section 6.2.2)
    literal(name),
    literal(value),
  ]);
  return frame(headersType, isLast ? endHeaders | endStream : endHeaders, streamId, Buffer.concat(fields));
}

export function dataFrame(bytes: Uint8Array): Buffer {
  return frame(0x0, 0, streamId, bytes);
}

export const halfCloseFrame = frame(0x0, endStream, streamId, Buffer.alloc(0));

const settingsFrame = frame(0x4, 0, 0, Buffer.alloc(0));

export const resetFrame = frame(0x3, 0, streamId, cancelCode);

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

export interface FrameServer extends AsyncDisposable {
  readonly target: string;
  /** Resolves when a client has closed its connection. */
  readonly closed: Promise<void>;
}

/** Starts a server that sends these frames to each connection when its first stream has been opened. */
export async function startFrameServer(...frames: readonly Buffer[]): Promise<FrameServer> {
  const sockets: Socket[] = [];
  const closed = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once('close', () => closed.resolve());
    socket.on('error', () => {}).write(settingsFrame);
    let received = Buffer.alloc(0);
    let hasAnswered = false;
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (hasAnswered || !hasHeaders(received)) return;
      hasAnswered = true;
      socket.write(Buffer.concat(frames));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    closed: closed.promise,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Returns whether a client has sent a header list, after its preface and its settings. */
function hasHeaders(received: Buffer): boolean {
  for (let at = preface.length; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3))
    if (received[at + 3] === headersType) return true;
  return false;
}

/** Encodes a string of up to 126 bytes (RFC 7541, section 5.2). */
function literal(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}
