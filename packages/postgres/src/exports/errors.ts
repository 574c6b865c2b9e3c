export { isTimeout, isUnavailable, QueueFullError } from '../errors/database-errors.ts';
export { databaseStatus } from '../errors/database-status.ts';
