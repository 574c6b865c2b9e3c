import { openPool } from './pool.ts';

/** Whether a database answers, asked on a connection of its own: a pool that is busy is not a database that is away. */
export interface Readiness {
  /** Rejects when the database does not answer within a second or so. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export function openReadiness(url: string, applicationName: string): Readiness {
  // A lost connection is told by the next check.
  const pool = openPool({ url, max: 1, applicationName: `${applicationName} readiness`, onError: () => {} });
  const query = { text: 'SELECT 1', query_timeout: 1000 };
  return {
    check: async () => {
      await pool.query(query);
    },
    close: () => pool.end(),
  };
}
