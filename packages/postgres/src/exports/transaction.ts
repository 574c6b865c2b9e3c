// Transactions and queries, and rows that are created once per request.
export {
  type Creation,
  type CreationTable,
  createAllOnce,
  createOnce,
  fingerprintOf,
} from '../idempotency/create-once.ts';
export { query } from '../transaction/query.ts';
export { type Tx, transaction } from '../transaction/transaction.ts';
