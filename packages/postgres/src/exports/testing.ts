// Databases for tests.
export { openTestPool } from '../testing/open-test-pool.ts';
export { startPoolerProxy } from '../testing/pooler-proxy.ts';
export { queryOnce } from '../testing/query-once.ts';
export { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
