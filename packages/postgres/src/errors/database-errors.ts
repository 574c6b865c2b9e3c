import pg from 'pg';
import { isConnectionLoss } from '../internals/pg-error-texts.ts';

/** Codes of a socket that has no server behind it, or no route to it. */
const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * SQLSTATE classes 08 (connection), 53 (too many connections, disk or memory full) and 58 (I/O), then single
 * codes: the session was ended (57P01, 57P02, 57P05, 25P03, 25P04), the server is starting or stopping (57P03), and a
 * primary that has become a read-only replica (25006).
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const unavailableStates = /^(08...|53...|58...|57P01|57P02|57P03|57P05|25P03|25P04|25006)$/;

/**
 * Returns whether the database cannot be reached, lacks resources or has failed over, so that the same call may succeed a
 * moment later. The outcome is not always known: a connection lost during COMMIT may have committed.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof ReadOnlyServerError || error instanceof RowLostError) return true;
  if (error instanceof pg.DatabaseError) return unavailableStates.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && socketCodes.has(code)) return true;
  // ENOENT is a missing Unix socket only when it comes from connect; elsewhere it is a missing file.
  if (code === 'ENOENT') return syscall === 'connect';
  return isConnectionLoss(error);
}

/** Returns whether a statement exceeded its time limit (57014) or its limit for a lock (55P03). */
export function isTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '57014' || error.code === '55P03');
}

/** Returns whether the error is a serialization failure (40001) or a deadlock (40P01). Nothing was done, and a retry may succeed. */
export function isConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01');
}

/** Returns whether a row of the statement violates this constraint, such as a check (23514). Nothing was done. */
export function violatesConstraint(error: unknown, name: string): boolean {
  return error instanceof pg.DatabaseError && error.constraint === name;
}

/**
 * Returns whether a prepared statement can no longer run on its connection, because the type of a column that it returns
 * has changed (`cached plan must not change result type`). Nothing was done. The message depends on `lc_messages`, the
 * name of PostgreSQL's routine does not.
 */
export function isStalePlan(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError && error.code === '0A000' && error.routine === 'RevalidateCachedQuery'
  );
}

/** A new connection leads to a server that accepts no writes: a standby, or a primary that was demoted. */
export class ReadOnlyServerError extends Error {
  override name = 'ReadOnlyServerError';
}

/**
 * A row that was committed is gone: the database has failed over to a standby that had not received it, or was restored.
 * The same call creates it again.
 */
export class RowLostError extends Error {
  override name = 'RowLostError';
}

/** A batcher's queue is full. The caller should retry later. */
export class QueueFullError extends Error {
  override name = 'QueueFullError';
}
