import { context, metrics, propagation, type SpanKind, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/** A measurement: a number, or a histogram. */
export type Point = Pick<DataPoint<number | Histogram>, 'attributes' | 'value'>;

export interface CollectedTelemetry extends AsyncDisposable {
  /** All started spans, in the order of their start. */
  readonly spans: readonly ReadableSpan[];
  /** Waits until `count` spans of the kind have ended in the trace. Returns all that were started. */
  spansOf(traceId: string, kind: SpanKind, count?: number): Promise<readonly ReadableSpan[]>;
  /** Returns the measurements of a metric since the start. */
  points(metric: string): Promise<readonly Point[]>;
}

const neverMs = 2 ** 31 - 1;

/**
 * Starts OpenTelemetry's SDK and collects its spans and metrics. Must be called before servers and clients are created,
 * which take the meter that is registered then.
 */
export function collectTelemetry(): CollectedTelemetry {
  const spans: ReadableSpan[] = [];
  let ended = Promise.withResolvers<void>();
  const processor: SpanProcessor = {
    onStart: (span) => spans.push(span),
    onEnd: () => {
      ended.resolve();
      ended = Promise.withResolvers();
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
    exportIntervalMillis: neverMs,
    exportTimeoutMillis: neverMs,
  });
  const sdk = new NodeSDK({
    autoDetectResources: false,
    spanProcessors: [processor],
    metricReaders: [reader],
    logRecordProcessors: [],
  });
  sdk.start();
  return {
    spans,
    spansOf: async (traceId, kind, count = 1) => {
      for (;;) {
        const wanted = spans.filter((span) => span.kind === kind && span.spanContext().traceId === traceId);
        if (wanted.filter((span) => span.ended).length >= count) return wanted;
        await ended.promise;
      }
    },
    points: async (metric) => {
      const { resourceMetrics } = await reader.collect();
      const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
      return all
        .filter(({ descriptor }) => descriptor.name === metric)
        .flatMap(({ dataPoints }) => dataPoints as Point[]);
    },
    [Symbol.asyncDispose]: async () => {
      await sdk.shutdown();
      for (const api of [trace, metrics, context, propagation]) api.disable();
    },
  };
}
