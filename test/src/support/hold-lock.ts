import type { Pool } from '@acme/postgres/pool';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';

export interface HeldLock extends AsyncDisposable {
  /** Resolves when at least this many statements wait for a lock in the database. */
  untilBlocked(count: number): Promise<void>;
  release(): Promise<void>;
}

/** Runs a statement such as `LOCK TABLE stock` in a transaction, and holds its locks until they are released. */
export async function holdLock(pool: Pool, statement: string): Promise<HeldLock> {
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query(statement);
  let ended: Promise<void> | undefined;
  const release = async () => {
    ended ??= client.query('ROLLBACK').then(() => client.release());
    await ended;
  };
  return {
    untilBlocked: async (count) => {
      const waiting = async () => {
        const { rows } = await pool.query<{ waiting: bigint }>(
          `SELECT count(*) AS waiting FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return rows[0]?.waiting;
      };
      await eventually(async () => expect(await waiting()).toBeGreaterThanOrEqual(BigInt(count)));
    },
    release,
    [Symbol.asyncDispose]: release,
  };
}
