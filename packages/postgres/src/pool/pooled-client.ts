import pg from 'pg';
import { clientConfig } from './connection-url.ts';
import type { Query, TraceStatement } from './statement-telemetry.ts';

/** A connection of a pool. */
export interface PooledClient extends pg.Client {
  /** Gives the session its settings. Not traced, because it is a part of connecting. */
  configure(): Promise<unknown>;
}

/**
 * Returns a class of clients for `url`. Each client reads the certificates that the URL names again, so that renewed ones
 * are used without a restart. While a file is missing, the last certificates are used.
 *
 * @throws Error as `clientConfig`. The constructor does not throw.
 */
export function pooledClient(options: {
  readonly url: string;
  /** The statement that gives a session its settings. */
  readonly settings: pg.QueryConfig;
  readonly trace: TraceStatement;
}): new (
  config?: pg.ClientConfig,
) => PooledClient {
  const { url, settings, trace } = options;
  let urlConfig = clientConfig(url);
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      try {
        urlConfig = clientConfig(url);
      } catch {
        // The file is being replaced.
      }
      super({ ...config, ...urlConfig });
    }

    override query(...args: never[]): never {
      return trace(args, () => (super.query as Query).apply(this, args)) as never;
    }

    configure(): Promise<unknown> {
      return super.query(settings);
    }
  };
}
