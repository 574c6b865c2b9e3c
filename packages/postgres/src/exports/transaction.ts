// Transactions and queries.
export { query } from '../transaction/query.ts';
export { type Tx, transaction } from '../transaction/transaction.ts';
