import {
  type Attributes,
  type Context,
  context,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { errorType, instrumentationScope } from './call-telemetry.ts';
import { type SpanStart, spanEnd, spanStart } from './span-time.ts';

/** Number of links that a span holds by default. Beyond it the SDK drops links and logs a warning. */
const maxLinks = 128;

/** An item of a batch in the trace of its call. */
export interface ItemTrace {
  readonly context: Context;
  /** Undefined if the trace is not recorded. */
  readonly span: Span | undefined;
  readonly start: SpanStart | undefined;
}

/** Spans and metrics of batches. */
export interface BatchTelemetry {
  /** Starts the span of an item. It lasts until `end` or `fail` and includes the wait for the batch. */
  start(): ItemTrace;
  end(item: ItemTrace): void;
  fail(item: ItemTrace, error: unknown): void;
  /** Runs the batch of one or more items. */
  run<T>(items: readonly ItemTrace[], body: () => Promise<T>): Promise<T>;
}

/**
 * Creates the telemetry of a kind of batch. Every item has a span in its own trace. The batch runs in the span of its
 * first item, so that the trace of a single item shows all its work. The first span and each other one are linked. A
 * batch with a trace of its own would be sampled separately, and would mostly be missing where its calls are recorded.
 */
export function batchTelemetry(name: string): BatchTelemetry {
  const tracer = trace.getTracer(instrumentationScope);
  const sizes = metrics.getMeter(instrumentationScope).createHistogram('batch.size', {
    unit: '{item}',
    description: 'Number of items in a batch.',
    advice: { explicitBucketBoundaries: [1, 2, 4, 8, 16, 32, 64, 128] },
  });
  const batchName: Attributes = { 'batch.name': name };
  return {
    start: () => {
      const active = context.active();
      const isRecorded = trace.getSpan(active)?.isRecording() ?? false;
      if (!isRecorded) return { context: active, span: undefined, start: undefined };
      const start = spanStart();
      return { context: active, span: tracer.startSpan(name, { startTime: start.time }, active), start };
    },
    end: ({ span, start }) => span?.end(start && spanEnd(start)),
    fail: ({ span, start }, error) =>
      span
        ?.setAttribute('error.type', errorType(error))
        .setStatus({ code: SpanStatusCode.ERROR })
        .end(start && spanEnd(start)),
    run: (items, body) => {
      sizes.record(items.length, batchName);
      const recorded = items.filter(({ span }) => span !== undefined);
      if (items.length > 1) for (const { span } of recorded) span?.setAttribute('batch.size', items.length);
      const [first, ...others] = recorded;
      if (!first?.span) return context.with(items[0]?.context ?? ROOT_CONTEXT, body);
      for (const [index, other] of others.entries()) {
        other.span?.addLink({ context: first.span.spanContext() });
        if (other.span && index < maxLinks) first.span.addLink({ context: other.span.spanContext() });
      }
      return context.with(trace.setSpan(first.context, first.span), body);
    },
  };
}
