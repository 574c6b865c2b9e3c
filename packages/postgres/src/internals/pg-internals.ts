import type { ConnectionOptions } from 'node:tls';
import type pg from 'pg';

/** A statement with pg's own limit in ms, which applies when the server does not answer. pg's types omit it. */
export type StatementConfig = pg.QueryConfig & { readonly query_timeout?: number };

/** The fields of a connected client that a CancelRequest needs. pg has no public way to them. */
export type CancellableClient = Omit<pg.Client, 'ssl'> & {
  /** Process id of the backend, and the key that allows to cancel its statements. */
  readonly processID: number;
  readonly secretKey: number;
  /** The options of the connection's TLS. pg's types say boolean. */
  readonly ssl: boolean | ConnectionOptions;
  readonly sslNegotiation: 'postgres' | 'direct';
};

export function asCancellable(client: pg.ClientBase): CancellableClient {
  return client as unknown as CancellableClient;
}
