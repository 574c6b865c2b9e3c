import { AggregationTemporality, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';

/** Records every span and measurement, and does not export them: the cost of telemetry without a network. */
export function startNullTelemetry(): void {
  new NodeSDK({
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: {
          export: (_spans, done) => done({ code: 0 }),
          shutdown: async () => {},
        },
      }),
    ],
    metricReaders: [
      new PeriodicExportingMetricReader({
        exporter: {
          export: (_metrics, done) => done({ code: 0 }),
          forceFlush: async () => {},
          shutdown: async () => {},
          selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
        },
        exportIntervalMillis: 5000,
      }),
    ],
    logRecordProcessors: [],
    instrumentations: [],
  }).start();
}
