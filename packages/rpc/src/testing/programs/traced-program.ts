/** Emits a span, a metric and a log record, and prints whether the SDK was loaded. */

import { createRequire } from 'node:module';
import { logs, metrics, trace } from '@opentelemetry/api';
import { shutdownTelemetry } from '../../telemetry/telemetry.ts';

trace.getTracer('test').startSpan('work').end();
metrics.getMeter('test').createCounter('work.done').add(1);
logs.getLogger('test').emit({ body: 'work done' });
const timeoutMs = process.env.FLUSH_TIMEOUT_MS;
await shutdownTelemetry(timeoutMs ? Number(timeoutMs) : undefined);

const loaded = Object.keys(createRequire(import.meta.url).cache);
const isSdkLoaded = loaded.some((file) => file.includes('/@opentelemetry/sdk-node/'));
process.stdout.write(JSON.stringify({ isSdkLoaded }));
// Like run-until-signal, exits although for instance a connection to a collector is open.
process.exit();
