import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands before a PostgreSQL server, as PgBouncer does, and records how clients begin. */
export interface PoolerProxy extends AsyncDisposable {
  readonly port: number;
  /** The parameters of each start-up message that came in the clear. */
  readonly startups: readonly Readonly<Record<string, string>>[];
  /** What each client sent, in the clear or encrypted, one buffer a connection. */
  sent(): Buffer[];
}

const protocolVersion = 0x3_0000;
/** The first byte of a client that begins with TLS at once. */
const tlsHandshake = 0x16;
/** What PgBouncer takes with its default configuration; it refuses a client that sends another one. */
const known = new Set([
  'user',
  'database',
  'application_name',
  'client_encoding',
  'datestyle',
  'timezone',
  'standard_conforming_strings',
  'intervalstyle',
]);

/** @param target The port of the server, on 127.0.0.1. */
export async function startPoolerProxy(target: number): Promise<PoolerProxy> {
  const startups: Record<string, string>[] = [];
  const connections: Buffer[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.end();
      });
    }
    const chunks: Buffer[] = [];
    connections.push(chunks);
    let begun = Buffer.alloc(0);
    let isBegun = false;
    client.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (isBegun) return void upstream.write(chunk);
      begun = Buffer.concat([begun, chunk]);
      const isTls = begun[0] === tlsHandshake;
      if (!isTls && (begun.length < 8 || begun.length < begun.readInt32BE(0))) return;
      isBegun = true;
      const parameters = parametersOf(begun);
      if (parameters) startups.push(parameters);
      const unknown = Object.keys(parameters ?? {}).find((name) => !known.has(name.toLowerCase()));
      if (unknown) client.end(refusal(`unsupported startup parameter: ${unknown}`));
      else upstream.write(begun);
    });
    client.on('end', () => upstream.end());
    upstream.pipe(client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    startups,
    sent: () => connections.map((chunks) => Buffer.concat(chunks)),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Of a start-up message; undefined for a request for TLS or for a cancel. */
function parametersOf(message: Buffer): Record<string, string> | undefined {
  if (message.readInt32BE(4) !== protocolVersion) return undefined;
  const words = message.toString('utf8', 8, message.readInt32BE(0)).split('\0');
  const parameters: Record<string, string> = {};
  for (let index = 0; words[index]; index += 2) parameters[words[index] ?? ''] = words[index + 1] ?? '';
  return parameters;
}

function refusal(message: string): Buffer {
  const body = Buffer.from(`SFATAL\0VFATAL\0C08P01\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
