import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** An HTTP proxy that the environment names. Calls must not use it. */
export interface Proxy extends AsyncDisposable {
  readonly connections: number;
}

/** Starts a proxy and sets `grpc_proxy`, which grpc-js prefers to the other variables, until disposal. */
export async function startProxy(): Promise<Proxy> {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const before = process.env.grpc_proxy;
  process.env.grpc_proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: async () => {
      if (before === undefined) delete process.env.grpc_proxy;
      else process.env.grpc_proxy = before;
      await server[Symbol.asyncDispose]();
    },
  };
}
