import { type Attributes, SpanStatusCode, trace } from '@opentelemetry/api';
import { instrumentationScope } from './call-telemetry.ts';

/** Adds to the span of what is running, of a call for instance; nothing where there is none. */
export function annotateSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/**
 * Runs a piece of work in a span of its own, which begins a trace where there is none: for what no call asked for. A
 * failure marks the span.
 */
export function inSpan<T>(name: string, attributes: Attributes, body: () => Promise<T>): Promise<T> {
  return trace.getTracer(instrumentationScope).startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await body();
    } catch (error) {
      span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}
