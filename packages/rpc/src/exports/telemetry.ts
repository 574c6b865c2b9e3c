// Spans and measurements of a service's own work.
export {
  type BatchRunner,
  createBatchRunner,
  type QueuedItem,
  type RunBatch,
} from '../telemetry/batch-runner.ts';
export { annotateSpan, inSpan } from '../telemetry/span.ts';
export { spanEnd, spanStart } from '../telemetry/span-time.ts';
export { readTelemetryConfig } from '../telemetry/telemetry-config.ts';
