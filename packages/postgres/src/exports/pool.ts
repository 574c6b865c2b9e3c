// Pools of connections, their settings, and readiness.
export { type Connections, connectionsPerReplica } from '../pool/connections.ts';
export { type DatabaseConfig, readDatabaseConfig, readDatabaseUrl } from '../pool/database-config.ts';
export { openPool, openReadiness, type Pool, type PoolOptions, type Readiness } from '../pool/pool.ts';
export { preferIndexScans } from '../pool/prefer-index-scans.ts';
