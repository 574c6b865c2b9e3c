import pg from 'pg';
import { parseDatabaseUrl } from './connection-url.ts';
import { measurePool } from './pool-telemetry.ts';
import { renewingClient } from './renewing-client.ts';
import { type SessionSettings, sessionStatement } from './session-settings.ts';
import { repeatStaleStatements } from './stale-plan.ts';
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

/** The longest that the settings of a new connection may take, in ms; as long as connecting may. */
const SETTINGS_TIMEOUT_MS = 1_000;

const limits: SessionSettings = {
  statement_timeout: 10_000,
  // Below statement_timeout, so that a wait for a lock fails with its own error.
  lock_timeout: 5_000,
  idle_in_transaction_session_timeout: 10_000,
  // The pool closes idle connections itself, and one that listens for notices is always idle.
  idle_session_timeout: 0,
};

export interface PoolOptions {
  readonly url: string;
  /** Maximum number of connections. */
  readonly max: number;
  /** Maximum wait for a connection: a second when absent, because waiting longer only makes an overload longer. */
  readonly maxWaitMs?: number;
  readonly applicationName: string;
  readonly settings?: SessionSettings;
  /** Called for a connection that died while unused (a database restart, a fail-over); it has been replaced already. */
  readonly onError: (error: Error) => void;
}

/**
 * Opens a bounded pool of connections. A caller that cannot have one within `maxWaitMs` gets an error for which
 * `isUnavailable` is true.
 *
 * `bigint` columns come back as bigint, `timestamptz` as Date. A statement whose prepared plan is stale is repeated on
 * another connection. Parameters in the URL win over the limits here and over `settings`. Statements and connections show
 * in traces and measurements.
 */
export function openPool(options: PoolOptions): pg.Pool {
  const settings = {
    text: sessionStatement(options.url, { ...limits, ...options.settings }),
    query_timeout: SETTINGS_TIMEOUT_MS,
  };
  const pool = new pg.Pool({
    Client: renewingClient(options.url),
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.maxWaitMs ?? 1_000,
    idleTimeoutMillis: 30_000,
    // A pool that never lets go of a connection stays with the old primary after a fail-over by DNS.
    maxLifetimeSeconds: 1_800,
    // The server's timeouts say nothing when the server itself is frozen or the network swallows packets.
    query_timeout: 12_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
    // pg-pool waits for it before it hands out a new connection, and closes one for which it fails.
    onConnect: (client) => client.query(settings),
  });
  // Without a listener, an 'error' event of an idle connection ends the process.
  pool.on('error', (error) => options.onError(error));
  // Nor must one of a connection that is in use. Its user listens too late when the connection dies in the very moment in
  // which it is handed out, and hears of it anyway, by the statement that fails.
  pool.on('connect', (client) => client.on('error', () => {}));
  traceStatements(pool, parseDatabaseUrl(options.url).database);
  repeatStaleStatements(pool);
  measurePool(pool, { poolName: options.applicationName, max: options.max });
  return pool;
}
