import type pg from 'pg';
import { isStalePlan, isUnavailable } from '../errors/database-errors.ts';
import type { Pool } from '../pool/pool.ts';
import { isThroughPooler } from '../pool/pooled-client.ts';
import { repeatOnStalePlan } from '../pool/stale-plan.ts';
import { cancelStatement } from './cancel-statement.ts';
import { runOnce } from './transaction.ts';

/**
 * Runs one statement outside of a transaction. On abort the statement is cancelled on the server, and the promise rejects
 * with the signal's reason, so a write that must not be lost has no signal. A connection in an unknown state is closed and
 * never reused. A connection with a stale plan is closed too, and the statement is repeated on another.
 */
export function query<Row extends pg.QueryResultRow>(
  pool: Pool,
  statement: pg.QueryConfig,
  signal?: AbortSignal,
): Promise<pg.QueryResult<Row>> {
  return repeatOnStalePlan(pool, () => attempt<Row>(pool, statement, signal));
}

async function attempt<Row extends pg.QueryResultRow>(
  pool: Pool,
  statement: pg.QueryConfig,
  signal: AbortSignal | undefined,
): Promise<pg.QueryResult<Row>> {
  signal?.throwIfAborted();
  const client = await pool.connect();
  // Several statements, so that an abort between them has to end the transaction.
  if (isThroughPooler(client)) return runOnce(client, (tx) => tx.query<Row>(statement), signal);
  let cancelling: Promise<void> | undefined;
  const onAbort = () => {
    cancelling = cancelStatement(client);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  let unusable: boolean | undefined;
  try {
    signal?.throwIfAborted();
    return await client.query<Row>(statement);
  } catch (error) {
    unusable = isUnavailable(error) || isStalePlan(error);
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // A cancel still on its way would hit the next statement of this connection.
    await cancelling;
    client.release(unusable);
  }
}
