/** The beginnings of the errors that pg and pg-pool throw for a lost or missing connection. These errors have no code. */
const beginnings = [
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'Connection terminated',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Cannot use a pool after calling end on the pool',
];

/** Returns whether pg or pg-pool reports that there is no connection, or none in time. */
export function isConnectionLoss(error: Error): boolean {
  return beginnings.some((beginning) => error.message.startsWith(beginning));
}
