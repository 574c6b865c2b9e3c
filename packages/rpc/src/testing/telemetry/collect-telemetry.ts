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
  /** All spans that have begun, in that order. */
  readonly spans: readonly ReadableSpan[];
  /** Waits until as many spans of the kind have ended in the trace, and gives all of them that have begun. */
  spansOf(traceId: string, kind: SpanKind, count?: number): Promise<readonly ReadableSpan[]>;
  /** What has been measured since the start. */
  points(metric: string): Promise<readonly Point[]>;
}

const neverMs = 2 ** 31 - 1;

/**
 * Starts OpenTelemetry's SDK and keeps what it would export. To be called before what is measured is created: servers
 * and clients ask for their meter only then.
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
