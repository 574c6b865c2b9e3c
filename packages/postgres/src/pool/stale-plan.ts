import pg from 'pg';

/**
 * Returns true when a prepared statement can no longer run on its connection, because a column that it returns has
 * changed its type (`cached plan must not change result type`). Nothing has been done then. The message is translated
 * by `lc_messages`, the name of PostgreSQL's routine is not.
 */
export function isStalePlan(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError && error.code === '0A000' && error.routine === 'RevalidateCachedQuery'
  );
}

/**
 * Calls `run` again each time it fails with a stale plan. `run` must discard the connection that failed, and must be safe
 * to repeat when nothing was done. A change of a table makes every open connection stale, so as many repeats are allowed
 * as the pool may hold connections: the last one is on a new connection.
 */
export async function repeatOnStalePlan<T>(pool: pg.Pool, run: () => Promise<T>): Promise<T> {
  for (let repeats = 0; ; repeats++) {
    try {
      return await run();
    } catch (error) {
      if (repeats === pool.options.max || !isStalePlan(error)) throw error;
    }
  }
}

type Query = (...args: unknown[]) => unknown;

/** Makes `pool.query` repeat a statement whose plan is stale. pg-pool discards the connection of a failed statement. */
export function repeatStaleStatements(pool: pg.Pool): void {
  const query = (pool.query as Query).bind(pool);
  const repeating: Query = (...args) => {
    // With a callback, or for a cursor, pg returns no promise.
    const isPlain = typeof args.at(-1) !== 'function' && !('submit' in Object(args[0]));
    return isPlain ? repeatOnStalePlan(pool, async () => query(...args)) : query(...args);
  };
  pool.query = repeating as typeof pool.query;
}
