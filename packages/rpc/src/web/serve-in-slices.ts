import type { Socket } from 'node:net';

/** A slice holds about 700 chunks of one byte. */
const sliceBytes = 4096;

/** A head that announces a body of chunks. */
const chunked = /\r\ntransfer-encoding:[^\r\n]*chunked/i;

/**
 * Calls `serve`, which passes a connection to an HTTP/1.1 server. If `received`, its first bytes, begin a body of chunks, the server's
 * parser gets all bytes in slices of 4 KiB: it cannot be stopped within the bytes that it gets, and a read of 64 KiB may hold 10,000
 * chunks. Other connections are read by the parser itself, whose reads leave less memory behind. A body of chunks in a later packet,
 * and one over TLS, costs one such read, and then its connection is closed.
 */
export function serveInSlices(socket: Socket, received: Buffer, serve: (socket: Socket) => void): void {
  if (!chunked.test(received.toString('latin1'))) {
    serve(socket);
    return;
  }
  const push = socket.push.bind(socket);
  socket.push = (bytes, encoding) => {
    if (!Buffer.isBuffer(bytes)) return push(bytes, encoding);
    let hasRoom = true;
    for (const slice of slicesOf(bytes)) if (!socket.destroyed) hasRoom = push(slice, encoding);
    return hasRoom;
  };
  const unread: Buffer | null = socket.read();
  if (unread) for (const slice of slicesOf(unread).toReversed()) socket.unshift(slice);
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
