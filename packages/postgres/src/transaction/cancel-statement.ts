import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type pg from 'pg';
import { asCancellable, type CancellableClient } from '../internals/pg-internals.ts';

/** Codes in the place of a start-up message's protocol version. */
const cancelRequestCode = 80_877_102;
const sslRequestCode = 80_877_103;
const connectTimeoutMs = 1_000;

/**
 * Cancels the running statement of `client` with the protocol's CancelRequest. Unlike `pg_cancel_backend`, the request
 * needs no login and no free connection, so it works when the pool or the server is full, and PgBouncer forwards it. A
 * client that uses TLS sends the request over TLS, verified by the same settings, or not at all, because the request holds
 * the key that allows to cancel the connection's statements.
 *
 * Once this resolves, the server has processed the request or never will, so it cannot hit a later statement of the
 * connection. It never rejects: after a failed cancel the statement runs on.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export async function cancelStatement(client: pg.ClientBase): Promise<void> {
  const connected = asCancellable(client);
  const socket = connectAgain(connected);
  const closed = new AbortController();
  socket.on('error', () => {});
  socket.on('close', () => closed.abort());
  const deadline = setTimeout(() => socket.destroy(), connectTimeoutMs);
  try {
    const channel = connected.ssl ? await encrypt(socket, connected, closed.signal) : socket;
    channel.write(message(cancelRequestCode, connected.processID, connected.secretKey));
    channel.resume();
    // The server answers by closing the connection, so this side must not close first.
    if (!closed.signal.aborted) await once(closed.signal, 'abort');
  } catch {
    socket.destroy();
  } finally {
    clearTimeout(deadline);
  }
}

/** Connects to the address in use rather than to the name, which may resolve to several servers. */
function connectAgain({ connection, host, port }: CancellableClient): Socket {
  const { remoteAddress, remotePort } = connection.stream as Socket;
  return remoteAddress !== undefined && remotePort !== undefined
    ? connect(remotePort, remoteAddress)
    : connect(`${host}/.s.PGSQL.${port}`);
}

/** Starts TLS as pg does. Resolves once the server's certificate is verified. Rejects on `closed`. */
async function encrypt(socket: Socket, client: CancellableClient, closed: AbortSignal): Promise<TLSSocket> {
  const { host, ssl, sslNegotiation } = client;
  const isDirect = sslNegotiation === 'direct';
  if (!isDirect) {
    socket.write(message(sslRequestCode));
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

/** Returns a message of its length and these numbers, the first of which is its code. */
function message(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * (numbers.length + 1));
  for (const [index, number] of [bytes.length, ...numbers].entries()) bytes.writeInt32BE(number, 4 * index);
  return bytes;
}
