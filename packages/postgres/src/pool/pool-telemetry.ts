import { metrics, type ObservableResult } from '@opentelemetry/api';
import type { Pool } from 'pg';
import { scope } from './statement-telemetry.ts';

/**
 * Measures the use of a pool by OpenTelemetry's semantic conventions for database client connections (1.45).
 *
 * @param poolName Distinguishes the pools of a process.
 */
export function measurePool(pool: Pool, { poolName, max }: { poolName: string; max: number }): void {
  const meter = metrics.getMeter(scope);
  const attributes = { 'db.client.connection.pool.name': poolName };
  const observe = (
    name: string,
    unit: string,
    description: string,
    callback: (to: ObservableResult) => void,
  ) => meter.createObservableUpDownCounter(name, { unit, description }).addCallback(callback);

  observe('db.client.connection.count', '{connection}', 'Open connections, by state.', (to) => {
    const { totalCount, idleCount } = pool;
    to.observe(idleCount, { ...attributes, 'db.client.connection.state': 'idle' });
    to.observe(totalCount - idleCount, { ...attributes, 'db.client.connection.state': 'used' });
  });
  observe('db.client.connection.max', '{connection}', 'Maximum number of connections.', (to) =>
    to.observe(max, attributes),
  );
  observe(
    'db.client.connection.pending_requests',
    '{request}',
    'Requests that wait for a connection, because all are in use.',
    (to) => to.observe(pool.waitingCount, attributes),
  );
}
