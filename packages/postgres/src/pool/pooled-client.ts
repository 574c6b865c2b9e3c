import pg from 'pg';
import type { StatementConfig } from '../internals/pg-internals.ts';
import { clientConfig } from './connection-url.ts';
import {
  createPreparedNames,
  isPooledSql,
  type Send,
  sendThroughPooler,
  supportsPreparedStatements,
} from './pooler.ts';
import { createReadWriteCheck, readOnlyColumn } from './read-only.ts';
import { beginStatement, type SessionSettings, settingCalls } from './session-settings.ts';
import { type Query, returnsPromise, type TraceStatement } from './statement-telemetry.ts';

/** A connection of a pool. */
export interface PooledClient extends pg.Client {
  /**
   * Gives the session its settings. Not traced, because it is a part of connecting.
   *
   * @throws ReadOnlyServerError
   */
  configure(): Promise<void>;
  /** See the function of this name. */
  requireReadWrite(): Promise<void>;
  /** See the function of this name. */
  isThroughPooler(): boolean;
}

/**
 * Returns a class of clients for `url`. Each client reads the certificates that the URL names again, so that renewed ones
 * are used without a restart. While a file is missing, the last certificates are used. Each client finds out whether it
 * leads through a pooler; see `sendThroughPooler`.
 *
 * @throws Error as `clientConfig`. The constructor does not throw.
 */
export function pooledClient(options: {
  readonly url: string;
  readonly settings: SessionSettings;
  /** Maximum time to give a session its settings. */
  readonly configureTimeoutMs: number;
  readonly trace: TraceStatement;
}): new (
  config?: pg.ClientConfig,
) => PooledClient {
  const { url, settings, configureTimeoutMs, trace } = options;
  const begin = beginStatement(settings);
  const names = createPreparedNames();
  const checkReadWrite = createReadWriteCheck(url);
  let urlConfig = clientConfig(url);
  return class extends pg.Client {
    /** Undefined on a connection to the server itself. */
    #throughPooler: Send | undefined;

    constructor(config?: pg.ClientConfig) {
      try {
        urlConfig = clientConfig(url);
      } catch {
        // The file is being replaced.
      }
      super({ ...config, ...urlConfig });
    }

    override query(...args: never[]): never {
      return trace(args, () =>
        this.#throughPooler ? queryBy(this.#throughPooler, args) : (super.query as Query).apply(this, args),
      ) as never;
    }

    async configure(): Promise<void> {
      const send: Send = (statement, values) => this.#sendUntraced(statement, values);
      const isPooled = isPooledSql(this);
      const { rows } = await send(
        `SELECT ${isPooled} AS is_pooled, ${readOnlyColumn}, ${settingCalls(settings, isPooled)}`,
      );
      checkReadWrite(rows[0]);
      if (!rows[0]?.is_pooled) return;
      const prepared = (await supportsPreparedStatements(send)) ? names : undefined;
      const sendAsIs: Send = (statement, values) => super.query(statement as StatementConfig, values);
      this.#throughPooler = sendThroughPooler(this, sendAsIs, { begin, prepared });
    }

    async requireReadWrite(): Promise<void> {
      const { rows } = await this.#sendUntraced(`SELECT ${readOnlyColumn}`);
      checkReadWrite(rows[0]);
    }

    #sendUntraced(statement: string | StatementConfig, values?: unknown[]): Promise<pg.QueryResult> {
      return super.query(
        {
          query_timeout: configureTimeoutMs,
          ...(typeof statement === 'string' ? { text: statement } : statement),
        } as StatementConfig,
        values,
      );
    }

    isThroughPooler(): boolean {
      return this.#throughPooler !== undefined;
    }
  };
}

/**
 * Checks a connection of a pool. Its server may have become read-only since it was opened.
 *
 * @throws ReadOnlyServerError, or the error of the connection.
 */
export function requireReadWrite(client: pg.ClientBase): Promise<void> {
  return (client as PooledClient).requireReadWrite();
}

/** Returns whether a connection of a pool leads through a pooler, so that no session outlives a transaction. */
export function isThroughPooler(client: pg.ClientBase): boolean {
  return (client as PooledClient).isThroughPooler();
}

/** Calls `send` with the arguments of `query`, which end with a callback when pg-pool calls it. */
function queryBy(send: Send, args: readonly unknown[]): unknown {
  const [statement, values] = args as Parameters<Send>;
  if (returnsPromise(args)) return send(statement, values);
  const callback = args.at(-1) as (error: unknown, result?: pg.QueryResult) => void;
  send(statement, Array.isArray(values) ? values : undefined).then(
    (result) => callback(null, result),
    (error) => callback(error),
  );
  return undefined;
}
