import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type pg from 'pg';

/** Names a CancelRequest where a start-up message has its protocol version. */
const CANCEL_REQUEST_CODE = 80_877_102;
const CONNECT_TIMEOUT_MS = 1_000;

/**
 * Asks the server to cancel what `client` is running, with the protocol's CancelRequest. Unlike
 * `pg_cancel_backend` it needs no login and no free connection, so it works when the pool, or the server, is
 * full; and a pooler between us and the server understands it.
 *
 * Once this resolves the server has sent the cancel, or never will: what the connection is asked next cannot be
 * hit by it unnoticed. It never rejects, since a failed cancel only means that the statement runs on.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export async function cancelStatement(client: pg.ClientBase): Promise<void> {
  // Not in pg's types, though they have been its fields from the start.
  const { processID, secretKey, connection, host, port } = client as pg.Client & {
    processID: number;
    secretKey: number;
  };
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(CANCEL_REQUEST_CODE, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);

  // The address in use rather than the name, which may stand for several servers.
  const { remoteAddress, remotePort } = connection.stream as Socket;
  const socket =
    remoteAddress !== undefined && remotePort !== undefined
      ? connect(remotePort, remoteAddress)
      : connect(`${host}/.s.PGSQL.${port}`);
  const deadline = setTimeout(() => socket.destroy(), CONNECT_TIMEOUT_MS);
  socket.on('error', () => {});
  // The server answers by closing, which is why it must not be us who closes first.
  socket.write(request);
  socket.resume();
  await once(socket, 'close').catch(() => {});
  clearTimeout(deadline);
}
