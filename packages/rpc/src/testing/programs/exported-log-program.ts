/**
 * Logs lines of every kind to stdout. With `AWAITED_LINE` waits for a line with that text, for instance that an export
 * failed, before it flushes telemetry.
 */

import '../../telemetry/register.ts';
import { writeSync } from 'node:fs';
import { trace } from '@opentelemetry/api';
import { createLogger } from '../../logging/logger.ts';
import { logTelemetry, shutdownTelemetry } from '../../telemetry/telemetry.ts';

const awaitedLine = process.env.AWAITED_LINE ?? '';
const awaited = Promise.withResolvers<void>();
const log = createLogger(
  { service: 'test', level: 'trace' },
  {
    write: (line) => {
      writeSync(1, line);
      if (line.includes(awaitedLine)) awaited.resolve();
    },
  },
);
logTelemetry(log);

for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level](`at ${level}`);
trace.getTracer('test').startActiveSpan('work', (span) => {
  log.info({ method: 'a.B/C', code: 'OK', duration_ms: 1.5, count: 3, isLast: true }, 'call');
  span.end();
});
const cause = new TypeError('Bearer canary-canary');
log.child({ order_id: '1' }).error({ err: new Error('boom', { cause }), token: 'canary' }, 'failed');
log.info({ page: ['x'.repeat(2000), null, { depth: 2 }], level: 'field', time: 'field' }, 'fields');
for (let index = 0; index < 20; index++) log.warn({ index }, 'storm');

// Keeps the process running: the SDK's timers do not.
setInterval(() => {}, 60_000);
await awaited.promise;
await shutdownTelemetry();
process.exit();
