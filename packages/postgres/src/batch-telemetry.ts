import {
  type Attributes,
  context,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { failureAttributes, scope } from './statement-telemetry.ts';

/** One item's way through a batcher, as a part of the trace that it came from; undefined where there is no trace. */
export type ItemSpan = Span | undefined;

/** What a batcher shows of itself. */
export interface BatchTelemetry {
  /** The span of an item: from now until `end`, the wait for the batch included. */
  start(): ItemSpan;
  end(span: ItemSpan): void;
  fail(span: ItemSpan, error: unknown): void;
  /** Runs the batch of these items. */
  run<T>(spans: readonly ItemSpan[], body: () => Promise<T>): Promise<T>;
}

/**
 * Every item has a span in its own trace. The batch, one piece of work for many traces, runs in the span of the first of
 * them, so that a call which was alone shows its statements; it and the others have links to each other. A batch of its
 * own trace would have been sampled by itself, and so would mostly be missing where its calls are.
 */
export function batchTelemetry(name: string): BatchTelemetry {
  const tracer = trace.getTracer(scope);
  const sizes = metrics.getMeter(scope).createHistogram('db.client.batch.size', {
    unit: '{item}',
    description: 'How many items went together in a batch.',
    advice: { explicitBucketBoundaries: [1, 2, 4, 8, 16, 32, 64, 128] },
  });
  const batchName: Attributes = { 'db.client.batch.name': name };
  return {
    start: () => (trace.getActiveSpan()?.isRecording() ? tracer.startSpan(name) : undefined),
    end: (span) => span?.end(),
    fail: (span, error) =>
      span?.setAttributes(failureAttributes(error)).setStatus({ code: SpanStatusCode.ERROR }).end(),
    run: (spans, body) => {
      sizes.record(spans.length, batchName);
      const [first, ...others] = spans.filter((span) => span !== undefined);
      // The conventions leave it out for what is no batch.
      if (spans.length > 1)
        for (const span of [first, ...others]) span?.setAttribute('db.operation.batch.size', spans.length);
      if (!first) return context.with(ROOT_CONTEXT, body);
      for (const other of others) {
        other.addLink({ context: first.spanContext() });
        first.addLink({ context: other.spanContext() });
      }
      return context.with(trace.setSpan(ROOT_CONTEXT, first), body);
    },
  };
}
