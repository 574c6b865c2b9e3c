import type { Pool } from 'pg';
import { isStalePlan } from '../errors/database-errors.ts';

/**
 * Calls `run` again each time it fails with a stale plan. `run` must discard the connection that failed, and must be safe
 * to repeat when nothing was done. A change of a table makes every open connection stale, so `run` is repeated as often as
 * the pool may have connections: the last repeat is on a new connection.
 */
export async function repeatOnStalePlan<T>(pool: Pool, run: () => Promise<T>): Promise<T> {
  for (let repeats = 0; ; repeats++) {
    try {
      return await run();
    } catch (error) {
      if (repeats === pool.options.max || !isStalePlan(error)) throw error;
    }
  }
}
