import type { SessionSettings } from './session-settings.ts';

/**
 * Settings for connections whose statements each find a few rows by an index. Without them, a plan that PostgreSQL cached
 * while a table was empty scans the whole table for every batch until the table is analyzed, because the planner does not
 * know how few rows an array or a record set holds.
 */
export const preferIndexScans: SessionSettings = {
  enable_indexscan: 'on',
  enable_nestloop: 'on',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};
