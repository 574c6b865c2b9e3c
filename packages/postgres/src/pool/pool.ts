import pg, { type Pool } from 'pg';
import { parseDatabaseUrl } from './connection-url.ts';
import { readinessConnections } from './connections.ts';
import { measurePool } from './pool-telemetry.ts';
import { type PooledClient, pooledClient, requireReadWrite } from './pooled-client.ts';
import { type SessionSettings, sessionSettings } from './session-settings.ts';
import { repeatOnStalePlan } from './stale-plan.ts';
import { type Query, returnsPromise, statementTracing } from './statement-telemetry.ts';

export type { Pool };

/** The OIDs of `bigint` and `bigint[]`, which are the same in every PostgreSQL (pg_type.dat). */
const int8Oid = 20;
const int8ArrayOid = 1016;

/** Decodes int8 as bigint. It does not fit a number, and with pg's default, a string, `+` silently concatenates. */
const types = {
  getTypeParser: (oid: number, format: 'text' | 'binary') => {
    if (format === 'binary') return pg.types.getTypeParser(oid, format);
    if (oid === int8Oid) return BigInt;
    const parse = pg.types.getTypeParser(oid, format);
    if (oid !== int8ArrayOid) return parse;
    return (text: string) => parse(text).map((item: string | null) => (item === null ? null : BigInt(item)));
  },
} as pg.CustomTypesConfig;

const limits: SessionSettings = {
  statement_timeout: 10_000,
  // Below statement_timeout, so that a wait for a lock fails with its own error.
  lock_timeout: 5_000,
  idle_in_transaction_session_timeout: 10_000,
  // The pool closes idle connections itself, and a connection that LISTENs is always idle.
  idle_session_timeout: 0,
};

export interface PoolOptions {
  readonly url: string;
  /** Maximum number of connections. */
  readonly max: number;
  /** Maximum wait for a connection. Default: 1 s, because a longer wait only prolongs an overload. */
  readonly maxWaitMs?: number;
  readonly applicationName: string;
  readonly settings?: SessionSettings;
  /** Called for an idle connection that was lost, in a database restart or a failover. The pool has replaced it. */
  readonly onError: (error: Error) => void;
}

/**
 * Opens a bounded pool of connections. When none is free within `maxWaitMs`, the caller gets an error for which
 * `isUnavailable` returns true.
 *
 * `bigint` columns are decoded as bigint, `timestamptz` as Date. A statement whose prepared plan is stale is repeated on
 * another connection. A connection to a read-only server is closed at once, and after a failover the next one leads to the
 * new primary; with `target_session_attrs=any` in the URL it is kept (ADR 42). Parameters of the URL take precedence over
 * the limits here and over `settings`. Statements and connections are traced and measured.
 *
 * The URL may be that of a pooler in transaction mode, such as PgBouncer. Prepared statements are used if the pooler
 * supports them (ADR 41).
 */
export function openPool(options: PoolOptions): Pool {
  const { url, max, applicationName, maxWaitMs = 1_000, onError } = options;
  const settings = sessionSettings(url, { ...limits, ...options.settings });
  const trace = statementTracing(parseDatabaseUrl(url).database);
  const TracedPool = class extends pg.Pool {
    override query(...args: never[]): never {
      const query = () => trace(args, () => (super.query as Query).apply(this, args));
      // pg-pool discards the connection of a failed statement.
      return (returnsPromise(args) ? repeatOnStalePlan(this, async () => query()) : query()) as never;
    }
  };
  const pool: Pool = new TracedPool({
    // As long as opening the connection may take.
    Client: pooledClient({ url, settings, configureTimeoutMs: maxWaitMs, trace }),
    max,
    application_name: applicationName,
    connectionTimeoutMillis: maxWaitMs,
    idleTimeoutMillis: 30_000,
    // Connections without a maximum lifetime stay with the old primary after a failover by DNS.
    maxLifetimeSeconds: 1_800,
    // The server's own timeouts have no effect when the server is paused or the network drops packets.
    query_timeout: 12_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
    // pg-pool awaits it before it hands out a new connection, and closes the connection when it fails.
    onConnect: (client) => (client as PooledClient).configure(),
  });
  // Without a listener, an 'error' event of an idle connection ends the process.
  pool.on('error', (error) => onError(error));
  // The same holds for a connection in use. Its user adds a listener too late when the connection is lost just as it is
  // handed out, and gets the error from its failing statement anyway.
  pool.on('connect', (client) => client.on('error', () => {}));
  measurePool(pool, { poolName: applicationName, max });
  return pool;
}

/**
 * Checks whether a database answers and accepts writes, on a separate connection: a busy pool does not mean an unreachable
 * database.
 */
export interface Readiness {
  /** Rejects when the database does not answer within about a second, or is read-only. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export function openReadiness(url: string, applicationName: string): Readiness {
  // A lost connection is reported by the next check.
  const pool = openPool({
    url,
    max: readinessConnections,
    applicationName: `${applicationName} readiness`,
    onError: () => {},
  });
  return {
    check: async () => {
      const client = await pool.connect();
      let isUsable = false;
      try {
        await requireReadWrite(client);
        isUsable = true;
      } finally {
        client.release(!isUsable);
      }
    },
    close: () => pool.end(),
  };
}
