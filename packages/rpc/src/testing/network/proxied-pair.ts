import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { vi } from 'vitest';
import { type Direction, startFaultProxy } from './fault-proxy.ts';

/** One end of a connection and the bytes that it has received. */
export interface End {
  readonly socket: Socket;
  readonly received: Buffer[];
  readonly text: () => string;
  /** Resolves with `end` or the code of an error. */
  readonly over: Promise<string>;
}

/** Starts a server and a proxy, and opens a connection through it. */
export async function startProxiedPair({ random = (): number => 0.5 } = {}) {
  const ends: End[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => ends.push(endOf(socket)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = await startFaultProxy({ target: `127.0.0.1:${port}`, random });
  const clients: End[] = [];
  const open = async () => {
    const client = endOf(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
    clients.push(client);
    await vi.waitUntil(() => ends.length === clients.length, { timeout: 15_000, interval: 5 });
    const accepted = ends.at(-1);
    if (!accepted) throw new Error('the server has not accepted the connection');
    return { client, server: accepted };
  };
  const first = await open();
  return {
    proxy,
    ...first,
    open,
    /** Returns the sending and the receiving end of a direction. */
    towards: (direction: Direction) =>
      direction === 'upstream'
        ? ([first.client, first.server] as const)
        : ([first.server, first.client] as const),
    [Symbol.asyncDispose]: async () => {
      for (const { socket } of [...clients, ...ends]) socket.destroy();
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

export function endOf(socket: Socket): End {
  const received: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => received.push(bytes));
  const over = new Promise<string>((resolve) => {
    socket.on('end', () => resolve('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  return { socket, received, text: () => Buffer.concat(received).toString(), over };
}
