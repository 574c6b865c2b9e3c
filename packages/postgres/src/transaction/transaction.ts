import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { isStalePlan, repeatOnStalePlan } from '../pool/stale-plan.ts';
import { cancelStatement } from './cancel-statement.ts';
import { isConflict, isUnavailable } from './errors.ts';
import { untilAborted } from './until-aborted.ts';

/** What a function takes that reads or writes inside the caller's transaction. A pool is one too, for reads. */
export type Tx = {
  query<Row extends pg.QueryResultRow>(
    // pg reads query_timeout, in ms, from a query; its types do not know.
    query: string | (pg.QueryConfig & { query_timeout?: number }),
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>;
};

const MAX_ATTEMPTS = 5;
const FIRST_BACKOFF_MS = 10;
/** How long a cancelled statement may take to end before its connection is thrown away instead. */
const CANCEL_GRACE_MS = 1_000;

/**
 * Runs `run` between BEGIN and COMMIT and gives its result; when it throws, ROLLBACK, and its error.
 *
 * A serialization failure (40001) or deadlock (40P01) is tried again, up to five times in all, so `run` must do
 * nothing but talk to `tx`; one that consumes a stream cannot be run again and asks for `maxAttempts: 1`. A stale plan
 * is tried again on another connection. When
 * `signal` aborts, the running statement is cancelled on the server and the promise rejects with `signal.reason`
 * once that has ended, at the latest a second later; a COMMIT already sent is not cancelled, and its outcome
 * stands. A connection that is not known to be idle and out of any transaction is closed, never reused.
 */
export async function transaction<T>(
  pool: pg.Pool,
  run: (tx: Tx) => Promise<T>,
  options: { signal?: AbortSignal; maxAttempts?: number } = {},
): Promise<T> {
  const { signal, maxAttempts = MAX_ATTEMPTS } = options;
  const attemptOnce = async () => {
    signal?.throwIfAborted();
    return await runOnce(await checkOut(pool, signal), run, signal);
  };
  for (let attempt = 1; ; attempt++) {
    try {
      // A stale plan is no conflict: it costs no attempt, and does not wait.
      return await (maxAttempts > 1 ? repeatOnStalePlan(pool, attemptOnce) : attemptOnce());
    } catch (error) {
      if (attempt === maxAttempts || !isConflict(error)) throw error;
    }
    const backoffMs = FIRST_BACKOFF_MS * 2 ** attempt * Math.random();
    await untilAborted(sleep(backoffMs), signal, 0);
  }
}

async function checkOut(pool: pg.Pool, signal: AbortSignal | undefined): Promise<pg.PoolClient> {
  const connecting = pool.connect();
  try {
    return await untilAborted(connecting, signal, 0);
  } catch (error) {
    // The pool may still hand out the connection that nobody waits for any more.
    connecting.then(
      (client) => client.release(),
      () => {},
    );
    throw error;
  }
}

async function runOnce<T>(
  client: pg.PoolClient,
  run: (tx: Tx) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const session = openSession(client, signal);
  let clean = false;
  try {
    const result = await untilAborted(beginAndRun(session.tx, run), signal, CANCEL_GRACE_MS);
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

/** PostgreSQL answers COMMIT with ROLLBACK, and no error, when `run` swallowed a statement's error. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') {
    throw new Error('the transaction was rolled back: a statement failed and its error was caught');
  }
}

/** One checked-out connection: what it runs, whether it was lost, and the cancel under way. */
function openSession(client: pg.PoolClient, signal: AbortSignal | undefined) {
  let running = 0;
  let ended = false;
  let lost: Error | undefined;
  let cancelling: Promise<void> | undefined;

  const onAbort = () => {
    if (running > 0) cancelling = cancelStatement(client);
  };
  // The first error says why; those of the statements after it only that the connection is gone.
  const onLost = (error: Error) => {
    lost ??= error;
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  client.on('error', onLost);

  return {
    tx: {
      async query(query, values) {
        // The connection may already be in somebody else's transaction.
        if (ended) throw new Error('a query came after its transaction had ended: is an await missing?');
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

    /** True when the connection is known to be idle and out of any transaction. */
    async rollBack(): Promise<boolean> {
      // A cancel that is still on its way would hit whoever has the connection next.
      await cancelling;
      // Aborted and still running: the cancel did not work, so neither would a ROLLBACK queued behind it.
      if (lost !== undefined || (signal?.aborted && running > 0)) return false;
      const rollback = { text: 'ROLLBACK', query_timeout: CANCEL_GRACE_MS };
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
