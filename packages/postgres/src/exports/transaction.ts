// Transactions and queries, rows that are created once per request, and the removal of old rows.
export {
  type Creation,
  type CreationTable,
  createAllOnce,
  createOnce,
  fingerprintOf,
} from '../idempotency/create-once.ts';
export { forgetRequests, type RequestTable } from '../idempotency/forget-requests.ts';
export { type Sweeper, type SweeperOptions, startSweeper } from '../retention/sweeper.ts';
export { query } from '../transaction/query.ts';
export { type Tx, transaction } from '../transaction/transaction.ts';
