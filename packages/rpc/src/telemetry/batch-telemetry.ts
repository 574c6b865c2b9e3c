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
import { instrumentationScope } from './call-telemetry.ts';

/** One item's way through a batch, as a part of the trace that it came from. */
export interface ItemTrace {
  readonly context: Context;
  /** Undefined where nothing is recorded. */
  readonly span: Span | undefined;
}

/** What whoever gathers items into batches shows of them. */
export interface BatchTelemetry {
  /** The span of an item: from now until `end` or `fail`, the wait for the batch included. */
  start(): ItemTrace;
  end(item: ItemTrace): void;
  fail(item: ItemTrace, error: unknown): void;
  /** Runs the batch of these items, which are one or more. */
  run<T>(items: readonly ItemTrace[], body: () => Promise<T>): Promise<T>;
}

/**
 * Every item has a span in its own trace. The batch, one piece of work for many traces, runs in the span of the first of
 * them, so that a call which was alone shows what it led to; it and the others have links to each other. A batch of its
 * own trace would have been sampled by itself, and so would mostly be missing where its calls are.
 */
export function batchTelemetry(name: string): BatchTelemetry {
  const tracer = trace.getTracer(instrumentationScope);
  const sizes = metrics.getMeter(instrumentationScope).createHistogram('batch.size', {
    unit: '{item}',
    description: 'How many items went together in a batch.',
    advice: { explicitBucketBoundaries: [1, 2, 4, 8, 16, 32, 64, 128] },
  });
  const batchName: Attributes = { 'batch.name': name };
  return {
    start: () => {
      const active = context.active();
      const isRecorded = trace.getSpan(active)?.isRecording() ?? false;
      return { context: active, span: isRecorded ? tracer.startSpan(name, {}, active) : undefined };
    },
    end: ({ span }) => span?.end(),
    fail: ({ span }, error) =>
      span
        ?.setAttribute('error.type', error instanceof Error ? error.name : typeof error)
        .setStatus({ code: SpanStatusCode.ERROR })
        .end(),
    run: (items, body) => {
      sizes.record(items.length, batchName);
      const recorded = items.filter(({ span }) => span !== undefined);
      // One alone is no batch.
      if (items.length > 1) for (const { span } of recorded) span?.setAttribute('batch.size', items.length);
      const [first, ...others] = recorded;
      if (!first?.span) return context.with(items[0]?.context ?? ROOT_CONTEXT, body);
      for (const other of others) link(first.span, other.span);
      return context.with(trace.setSpan(first.context, first.span), body);
    },
  };
}

function link(one: Span, other: Span | undefined): void {
  if (!other) return;
  other.addLink({ context: one.spanContext() });
  one.addLink({ context: other.spanContext() });
}
