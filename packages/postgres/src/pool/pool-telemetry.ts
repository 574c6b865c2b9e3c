import { metrics, type ObservableResult } from '@opentelemetry/api';
import type pg from 'pg';
import { scope } from './statement-telemetry.ts';

/**
 * Tells how much of a pool is in use, by OpenTelemetry's semantic conventions for database client connections (1.45).
 *
 * @param poolName Tells the pools of a process apart.
 */
export function measurePool(pool: pg.Pool, { poolName, max }: { poolName: string; max: number }): void {
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
  observe('db.client.connection.max', '{connection}', 'How many connections there may be.', (to) =>
    to.observe(max, attributes),
  );
  observe(
    'db.client.connection.pending_requests',
    '{request}',
    'Who waits for a connection, because all are in use.',
    (to) => to.observe(pool.waitingCount, attributes),
  );
}
