import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { isConflict, isStalePlan, isUnavailable } from '../errors/database-errors.ts';
import type { StatementConfig } from '../internals/pg-internals.ts';
import type { Pool } from '../pool/pool.ts';
import { repeatOnStalePlan } from '../pool/stale-plan.ts';
import { cancelStatement } from './cancel-statement.ts';
import { untilAborted } from './until-aborted.ts';

/** Runs statements in the caller's transaction. A pool is a `Tx` too, for single statements outside of one. */
export interface Tx {
  query<Row extends pg.QueryResultRow>(
    query: string | StatementConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

const defaultMaxAttempts = 5;
const firstBackoffMs = 10;
/** Maximum time for a cancelled statement to end. After it the connection is closed instead. */
const cancelGraceMs = 1_000;

/**
 * Calls `run` between BEGIN and COMMIT and returns its result. When `run` throws, rolls back and throws its error.
 *
 * A serialization failure (40001) or deadlock (40P01) is retried, with up to five attempts, so `run` must have no effects
 * but those of `tx`. A `run` that consumes a stream cannot be repeated and needs `maxAttempts: 1`. A stale plan is retried
 * on another connection, unless `maxAttempts` is 1.
 *
 * On abort the running statement is cancelled on the server, and the promise rejects with `signal.reason` once the
 * statement has ended, at most a second later. A COMMIT that was sent is not cancelled, and its outcome is returned. A
 * connection that may still be in a transaction is closed and never reused.
 */
export async function transaction<T>(
  pool: Pool,
  run: (tx: Tx) => Promise<T>,
  options: { signal?: AbortSignal; maxAttempts?: number } = {},
): Promise<T> {
  const { signal, maxAttempts = defaultMaxAttempts } = options;
  const attemptOnce = async () => {
    signal?.throwIfAborted();
    return await runOnce(await checkOut(pool, signal), run, signal);
  };
  for (let attempt = 1; ; attempt++) {
    try {
      // A stale plan is not a conflict: its retry counts as no attempt, and needs no backoff.
      return await (maxAttempts > 1 ? repeatOnStalePlan(pool, attemptOnce) : attemptOnce());
    } catch (error) {
      if (attempt === maxAttempts || !isConflict(error)) throw error;
    }
    const backoffMs = firstBackoffMs * 2 ** attempt * Math.random();
    await untilAborted(sleep(backoffMs), signal, 0);
  }
}

async function checkOut(pool: Pool, signal: AbortSignal | undefined): Promise<pg.PoolClient> {
  const connecting = pool.connect();
  try {
    return await untilAborted(connecting, signal, 0);
  } catch (error) {
    // The pool may still hand out the connection after the abort.
    connecting.then(
      (client) => client.release(),
      () => {},
    );
    throw error;
  }
}

/** Calls `run` in a transaction on `client`, and releases it. */
export async function runOnce<T>(
  client: pg.PoolClient,
  run: (tx: Tx) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const session = openSession(client, signal);
  let clean = false;
  try {
    const result = await untilAborted(beginAndRun(session.tx, run), signal, cancelGraceMs);
    signal?.throwIfAborted();
    session.end();
    await commit(client);
    clean = true;
    return result;
  } catch (error) {
    session.end();
    clean = !isUnavailable(error) && !isStalePlan(error) && (await session.rollBack());
    if (signal?.aborted) throw signal.reason;
    throw error;
  } finally {
    session.release(clean);
  }
}

async function beginAndRun<T>(tx: Tx, run: (tx: Tx) => Promise<T>): Promise<T> {
  await tx.query('BEGIN');
  return run(tx);
}

/** Commits. PostgreSQL answers COMMIT with ROLLBACK, and no error, when `run` has caught a statement's error. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') {
    throw new Error('the transaction was rolled back: a statement failed and its error was caught');
  }
}

/** Tracks a checked-out connection: its running statements, its loss, and a cancel on its way. */
function openSession(client: pg.PoolClient, signal: AbortSignal | undefined) {
  let running = 0;
  let ended = false;
  let lost: Error | undefined;
  let cancelling: Promise<void> | undefined;

  const onAbort = () => {
    if (running > 0) cancelling = cancelStatement(client);
  };
  // Only the first error says why. The errors of later statements say that the connection is closed.
  const onLost = (error: Error) => {
    lost ??= error;
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  client.on('error', onLost);

  return {
    tx: {
      async query(query, values) {
        // The connection may already serve another transaction.
        if (ended) throw new Error('the transaction of this query has ended: is an await missing?');
        signal?.throwIfAborted();
        if (lost !== undefined) throw lost;
        running += 1;
        try {
          return await client.query(query, values);
        } finally {
          running -= 1;
        }
      },
    } satisfies Tx as Tx,

    end() {
      ended = true;
      signal?.removeEventListener('abort', onAbort);
    },

    /** Resolves to whether the connection is known to be idle and out of any transaction. */
    async rollBack(): Promise<boolean> {
      // A cancel still on its way would hit the next statement of this connection.
      await cancelling;
      // The cancel failed when the statement still runs, and a ROLLBACK would queue behind it.
      if (lost !== undefined || (signal?.aborted && running > 0)) return false;
      const rollback: StatementConfig = { text: 'ROLLBACK', query_timeout: cancelGraceMs };
      return client.query(rollback).then(
        () => client.getTransactionStatus() === 'I',
        () => false,
      );
    },

    release(clean: boolean) {
      client.release(!clean);
      client.off('error', onLost);
    },
  };
}
