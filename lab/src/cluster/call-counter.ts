import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

export interface CallCounter extends AsyncDisposable {
  readonly port: number;
  /** Number of calls forwarded so far, retries included. */
  readonly calls: number;
}

/** Length of the HTTP/2 client preface (RFC 9113, section 3.4). */
const prefaceBytes = 24;
const frameHeaderBytes = 9;
const headersFrame = 1;

/** Forwards plain-text gRPC unchanged and counts the calls: each begins with a HEADERS frame of the client (RFC 9113). */
export async function startCallCounter(target: { host: string; port: number }): Promise<CallCounter> {
  let calls = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const count = frameReader((type) => {
      if (type === headersFrame) calls += 1;
    });
    const upstream = connect({ ...target, noDelay: true });
    client.on('data', count);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.resetAndDestroy());
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroySoon());
  });
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get calls() {
      return calls;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Returns a parser of a client's byte stream that calls `onFrame` with the type of each HTTP/2 frame. */
function frameReader(onFrame: (type: number) => void): (bytes: Buffer) => void {
  let skip = prefaceBytes;
  let header = Buffer.alloc(0);
  return (bytes) => {
    for (let rest = bytes; rest.length > 0; ) {
      if (skip > 0) {
        const skipped = Math.min(skip, rest.length);
        skip -= skipped;
        rest = rest.subarray(skipped);
        continue;
      }
      const missing = frameHeaderBytes - header.length;
      header = Buffer.concat([header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (header.length < frameHeaderBytes) return;
      onFrame(header.readUInt8(3));
      skip = header.readUIntBE(0, 3);
      header = Buffer.alloc(0);
    }
  };
}
