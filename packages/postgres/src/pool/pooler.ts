import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { isStalePlan } from '../errors/database-errors.ts';
import { asCancellable, type StatementConfig } from '../internals/pg-internals.ts';

/** Sends a statement to the server as it is. */
export type Send = (statement: string | StatementConfig, values?: unknown[]) => Promise<pg.QueryResult>;

/**
 * Returns an SQL condition that is true when a pooler answers in the place of the server. PostgreSQL gives a new connection
 * the process id of its backend, for cancel requests. A pooler gives it an id of its own, because the backend changes.
 */
export function isPooledSql(client: pg.ClientBase): string {
  return `pg_catalog.pg_backend_pid() IS DISTINCT FROM ${asCancellable(client).processID ?? 'NULL'}`;
}

/**
 * Returns whether prepared statements may be used through the pooler of `send`. A pooler that supports them, as PgBouncer
 * from 1.21 with `max_prepared_statements`, gives each a name of its own. One that does not forwards the name, and then a
 * connection runs the statements that other clients prepared on the same backend.
 */
export async function supportsPreparedStatements(send: Send): Promise<boolean> {
  const name = `probe_${randomUUID()}`;
  await send('BEGIN');
  try {
    const text = 'SELECT FROM pg_catalog.pg_prepared_statements WHERE name = $1';
    const { rowCount } = await send({ name, text, values: [name] });
    if (rowCount !== 0) await send(`DEALLOCATE ${pg.escapeIdentifier(name)}`);
    return rowCount === 0;
  } finally {
    await send('ROLLBACK');
  }
}

/**
 * The prepared statements of a pool whose connections lead through a pooler. A plan that has become stale stays with its
 * backend, which a new connection to the pooler does not replace. All statements are prepared anew instead, with another
 * text, by which the pooler tells them apart.
 */
export interface PreparedNames {
  /** Returns the statement as it is to be prepared. */
  current(statement: StatementConfig): StatementConfig;
  /** Called with the error of a statement that `current` returned. */
  onError(error: unknown, statement: StatementConfig): void;
}

export function createPreparedNames(): PreparedNames {
  let generation = 0;
  const suffix = () => (generation === 0 ? '' : ` -- ${generation}`);
  return {
    current: (statement) =>
      generation === 0
        ? statement
        : {
            ...statement,
            name: `${statement.name}${suffix()}`,
            text: `${statement.text}${suffix()}`,
          },
    onError: (error, { name = '' }) => {
      // Statements that ran at the same time fail too, with plans of the generation before.
      if (isStalePlan(error) && name.endsWith(suffix())) generation++;
    },
  };
}

/**
 * Runs statements through a pooler in transaction mode, which may run each transaction on another backend. A setting of
 * the session would stay with the backend, where other clients find it, so every transaction gets its settings with its
 * BEGIN. A statement outside of a transaction gets one of its own, which costs two more round trips.
 *
 * @param begin Statements that begin a transaction and give it its settings.
 * @param prepared Undefined when the pooler does not support prepared statements: each is parsed and planned every time.
 */
export function sendThroughPooler(
  client: pg.ClientBase,
  send: Send,
  { begin, prepared }: { readonly begin: string; readonly prepared: PreparedNames | undefined },
): Send {
  const sendNamed: Send = async (statement, values) => {
    if (typeof statement === 'string' || statement.name === undefined) return send(statement, values);
    if (prepared === undefined) return send(withoutName(statement), values);
    const current = prepared.current(statement);
    try {
      return await send(current, values);
    } catch (error) {
      prepared.onError(error, current);
      throw error;
    }
  };
  const sendInTransaction: Send = async (statement, values) => {
    const { query_timeout } = Object(statement) as StatementConfig;
    const limited = (text: string) => send({ text, ...(query_timeout !== undefined && { query_timeout }) });
    try {
      await limited(begin);
      const result = await sendNamed(statement, values);
      await limited('COMMIT');
      return result;
    } catch (error) {
      // Without the server's answer the statement still runs, and a ROLLBACK would queue behind it.
      if (error instanceof pg.DatabaseError) await limited('ROLLBACK').catch(() => {});
      throw error;
    }
  };
  return (statement, values) => {
    const text = typeof statement === 'string' ? statement : statement.text;
    if (text === 'BEGIN') return send(begin);
    const isInTransaction = client.getTransactionStatus() !== 'I' || text === 'COMMIT' || text === 'ROLLBACK';
    return isInTransaction ? sendNamed(statement, values) : sendInTransaction(statement, values);
  };
}

function withoutName({ name: _, ...statement }: StatementConfig): StatementConfig {
  return statement;
}
