export { startPoolerProxy } from '../testing/pooler-proxy.ts';
export { queryOnce } from '../testing/query-once.ts';
export { createTestDatabase } from '../testing/test-database.ts';
