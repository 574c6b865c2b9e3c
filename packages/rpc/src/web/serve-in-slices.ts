import type { Socket } from 'node:net';

/** A slice holds about 700 chunks of one byte. */
const sliceBytes = 4096;

/**
 * Calls `serve`, which passes a connection to an HTTP/1.1 server, so that its parser gets the bytes in slices of 4 KiB. The parser cannot
 * be stopped within the bytes that it gets, and a read of 64 KiB may hold 10,000 chunks.
 */
export function serveInSlices(socket: Socket, serve: (socket: Socket) => void): void {
  const push = socket.push.bind(socket);
  socket.push = (bytes, encoding) => {
    if (!Buffer.isBuffer(bytes)) return push(bytes, encoding);
    let hasRoom = true;
    for (const slice of slicesOf(bytes)) if (!socket.destroyed) hasRoom = push(slice, encoding);
    return hasRoom;
  };
  const received: Buffer | null = socket.read();
  if (received) for (const slice of slicesOf(received).toReversed()) socket.unshift(slice);
  serve(socket);
  // With a listener of data, Node reads through `push`. Otherwise the parser reads from the handle.
  socket.on('data', () => {});
}

function slicesOf(bytes: Buffer): Buffer[] {
  const count = Math.ceil(bytes.length / sliceBytes);
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * sliceBytes, (index + 1) * sliceBytes),
  );
}
