import type pg from 'pg';
import { isStalePlan, repeatOnStalePlan } from '../pool/stale-plan.ts';
import { cancelStatement } from './cancel-statement.ts';
import { isUnavailable } from './errors.ts';

/**
 * Runs one statement outside of a transaction, for reads: when the signal is aborted it is cancelled on the server, and
 * the promise rejects with the signal's reason. A connection whose state is not known is closed, never reused. One whose
 * plan is stale is closed too, and the statement repeated on another.
 */
export function query<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  statement: pg.QueryConfig,
  signal: AbortSignal,
): Promise<pg.QueryResult<Row>> {
  return repeatOnStalePlan(pool, () => queryOnce<Row>(pool, statement, signal));
}

async function queryOnce<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  statement: pg.QueryConfig,
  signal: AbortSignal,
): Promise<pg.QueryResult<Row>> {
  signal.throwIfAborted();
  const client = await pool.connect();
  let cancelling: Promise<void> | undefined;
  const onAbort = () => {
    cancelling = cancelStatement(client);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  let unusable: boolean | undefined;
  try {
    signal.throwIfAborted();
    return await client.query<Row>(statement);
  } catch (error) {
    unusable = isUnavailable(error) || isStalePlan(error);
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // A cancel that is still on its way would hit whoever has the connection next.
    await cancelling;
    client.release(unusable);
  }
}
