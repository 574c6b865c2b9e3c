export { type DatabaseConfig, readDatabaseConfig, readDatabaseUrl } from '../pool/database-config.ts';
export { openPool, openReadiness, type Pool, type PoolOptions } from '../pool/pool.ts';
export { preferIndexScans } from '../pool/prefer-index-scans.ts';
