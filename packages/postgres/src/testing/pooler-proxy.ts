import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a PostgreSQL server that rejects startup parameters like PgBouncer and records what clients send. */
export interface PoolerProxy extends AsyncDisposable {
  readonly port: number;
  /** The parameters of each startup message in plain text. */
  readonly startups: readonly Readonly<Record<string, string>>[];
  /** The bytes that clients sent, in plain text or encrypted, one buffer per connection. */
  sent(): Buffer[];
}

const protocolVersion = 0x3_0000;
/** The first byte of a client that starts with TLS directly. */
const tlsHandshake = 0x16;
/** The startup parameters that PgBouncer accepts with its default configuration. It rejects a client with another one. */
const accepted = new Set([
  'user',
  'database',
  'application_name',
  'client_encoding',
  'datestyle',
  'timezone',
  'standard_conforming_strings',
  'intervalstyle',
]);

/** @param target Port of the server on 127.0.0.1. */
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
    let startup = Buffer.alloc(0);
    let isStarted = false;
    client.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (isStarted) return void upstream.write(chunk);
      startup = Buffer.concat([startup, chunk]);
      const isTls = startup[0] === tlsHandshake;
      if (!isTls && (startup.length < 8 || startup.length < startup.readInt32BE(0))) return;
      isStarted = true;
      const parameters = parametersOf(startup);
      if (parameters) startups.push(parameters);
      const unknown = Object.keys(parameters ?? {}).find((name) => !accepted.has(name.toLowerCase()));
      if (unknown) client.end(refusal(`unsupported startup parameter: ${unknown}`));
      else upstream.write(startup);
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

/** Returns the parameters of a startup message. Undefined for an SSLRequest or a CancelRequest. */
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
