import pg from 'pg';

/** What the socket says when there is no server behind it, or no way to it. */
const SOCKET_CODES = new Set([
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

/** pg and pg-pool give these no code, so their words are all there is; a test makes each one for real. */
const MESSAGES = [
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'Connection terminated',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Cannot use a pool after calling end on the pool',
];

/**
 * SQLSTATE classes 08 (connection), 53 (too many connections, disk or memory full) and 58 (I/O), then single
 * codes: the session was ended (57P01, 57P02, 57P05, 25P03, 25P04), the server is starting or stopping (57P03), and a
 * primary that has become a read-only replica (25006).
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNAVAILABLE_STATES = /^(08...|53...|58...|57P01|57P02|57P03|57P05|25P03|25P04|25006)$/;

/**
 * True when the database cannot be reached or has too little room now: the same call may well work a moment
 * later. It does not say that nothing happened: a connection lost during COMMIT leaves the outcome unknown.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return UNAVAILABLE_STATES.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && SOCKET_CODES.has(code)) return true;
  // ENOENT is a missing Unix socket only when it comes from connect; elsewhere it is a missing file.
  if (code === 'ENOENT') return syscall === 'connect';
  return MESSAGES.some((message) => error.message.startsWith(message));
}

/** True when a statement worked (57014) or waited for a lock (55P03) longer than it may. */
export function isTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '57014' || error.code === '55P03');
}

/** True when two transactions stood in each other's way (40001, 40P01): nothing was done, and it may be tried again. */
export function isConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01');
}
