import pg from 'pg';
import { measurePool } from './pool-telemetry.ts';
import { traceStatements } from './statement-telemetry.ts';

export type { Pool } from 'pg';

/** The OID of `bigint` and of `bigint[]` in every PostgreSQL (pg_type.dat). */
const INT8 = 20;
const INT8_ARRAY = 1016;

/** An int8 does not fit a JavaScript number, and pg's default, a string, adds up wrongly without a sound. */
const types = {
  getTypeParser: (oid: number, format: 'text' | 'binary') => {
    if (format === 'binary') return pg.types.getTypeParser(oid, format);
    if (oid === INT8) return BigInt;
    const parse = pg.types.getTypeParser(oid, format);
    if (oid !== INT8_ARRAY) return parse;
    return (text: string) => parse(text).map((item: string | null) => (item === null ? null : BigInt(item)));
  },
} as pg.CustomTypesConfig;

/**
 * A bounded pool of connections. `max` bounds them; a caller that cannot have one within a second gets an error
 * for which `isUnavailable` is true, because waiting longer only makes an overload longer.
 *
 * `bigint` columns come back as bigint, `timestamptz` as Date. `onError` hears of connections that died while
 * nobody used them (a database restart, a fail-over); the pool has already replaced them. Parameters in the URL
 * win over the limits here. Statements and connections show in traces and measurements.
 */
export function openPool(options: {
  url: string;
  max: number;
  applicationName: string;
  onError: (error: Error) => void;
}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: 1_000,
    idleTimeoutMillis: 30_000,
    // A pool that never lets go of a connection stays with the old primary after a fail-over by DNS.
    maxLifetimeSeconds: 1_800,
    statement_timeout: 10_000,
    // Under statement_timeout, so that waiting for a lock is told apart from working too long.
    lock_timeout: 5_000,
    idle_in_transaction_session_timeout: 10_000,
    // The server's timeouts say nothing when the server itself is frozen or the network swallows packets.
    query_timeout: 12_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
  });
  // Without a listener, an 'error' event of an idle connection ends the process.
  pool.on('error', (error) => options.onError(error));
  // Nor must one of a connection that is in use. Its user listens too late when the connection dies in the very moment in
  // which it is handed out, and hears of it anyway, by the statement that fails.
  pool.on('connect', (client) => client.on('error', () => {}));
  traceStatements(pool, options.url);
  measurePool(pool, { poolName: options.applicationName, max: options.max });
  return pool;
}
