// Failures of the database: their kinds, and the status that a caller gets.
export {
  isConflict,
  isTimeout,
  isUnavailable,
  QueueFullError,
  violatesConstraint,
} from '../errors/database-errors.ts';
export { databaseStatus } from '../errors/database-status.ts';
