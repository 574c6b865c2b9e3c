import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type pg from 'pg';

/** Codes that stand where a start-up message has its protocol version. */
const CANCEL_REQUEST_CODE = 80_877_102;
const SSL_REQUEST_CODE = 80_877_103;
const CONNECT_TIMEOUT_MS = 1_000;

/** Fields of pg's client that its types lack, though it has had them from the start; tests use each. */
type ConnectedClient = Omit<pg.Client, 'ssl'> & {
  readonly processID: number;
  readonly secretKey: number;
  readonly ssl: boolean | ConnectionOptions;
  readonly sslNegotiation: 'postgres' | 'direct';
};

/**
 * Asks the server to cancel what `client` is running, with the protocol's CancelRequest. Unlike
 * `pg_cancel_backend` it needs no login and no free connection, so it works when the pool, or the server, is
 * full; and a pooler between us and the server understands it. A client that uses TLS sends it over TLS, verified by the
 * same settings, or not at all: it holds the key by which anyone can cancel the connection's statements.
 *
 * Once this resolves the server has sent the cancel, or never will: what the connection is asked next cannot be
 * hit by it unnoticed. It never rejects, since a failed cancel only means that the statement runs on.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export async function cancelStatement(client: pg.ClientBase): Promise<void> {
  const connected = client as unknown as ConnectedClient;
  const socket = connectAgain(connected);
  const closed = new AbortController();
  socket.on('error', () => {});
  socket.on('close', () => closed.abort());
  const deadline = setTimeout(() => socket.destroy(), CONNECT_TIMEOUT_MS);
  try {
    const channel = connected.ssl ? await encrypt(socket, connected, closed.signal) : socket;
    channel.write(message(CANCEL_REQUEST_CODE, connected.processID, connected.secretKey));
    channel.resume();
    // The server answers by closing, which is why it must not be us who closes first.
    if (!closed.signal.aborted) await once(closed.signal, 'abort');
  } catch {
    socket.destroy();
  } finally {
    clearTimeout(deadline);
  }
}

/** To the address in use rather than the name, which may stand for several servers. */
function connectAgain({ connection, host, port }: ConnectedClient): Socket {
  const { remoteAddress, remotePort } = connection.stream as Socket;
  return remoteAddress !== undefined && remotePort !== undefined
    ? connect(remotePort, remoteAddress)
    : connect(`${host}/.s.PGSQL.${port}`);
}

/** Begins TLS as pg does for a connection. Resolves once the server's certificate is verified; rejects on `closed`. */
async function encrypt(socket: Socket, client: ConnectedClient, closed: AbortSignal): Promise<TLSSocket> {
  const { host, ssl, sslNegotiation } = client;
  const isDirect = sslNegotiation === 'direct';
  if (!isDirect) {
    socket.write(message(SSL_REQUEST_CODE));
    const [answer] = await once(socket, 'data', { signal: closed });
    if (String(answer) !== 'S') throw new Error('the server does not support TLS');
  }
  const channel = connectTls({
    socket,
    host,
    ...(typeof ssl === 'object' && ssl),
    ...(isDirect && { ALPNProtocols: ['postgresql'] }),
    ...(isIP(host) === 0 && { servername: host }),
  });
  channel.on('error', () => {});
  await once(channel, 'secureConnect', { signal: closed });
  return channel;
}

/** A message that has only a code and numbers, as those have that begin a connection. */
function message(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * (numbers.length + 1));
  for (const [index, number] of [bytes.length, ...numbers].entries()) bytes.writeInt32BE(number, 4 * index);
  return bytes;
}
