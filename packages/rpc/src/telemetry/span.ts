import { type Attributes, SpanStatusCode, trace } from '@opentelemetry/api';
import { errorType, instrumentationScope } from './call-telemetry.ts';
import { spanEnd, spanStart } from './span-time.ts';

/** Sets attributes of the active span, if there is one. Work that outlives its call has no effect on the call's span. */
export function annotateSpan(attributes: Attributes): void {
  const span = trace.getActiveSpan();
  // An ended span logs a warning.
  if (span?.isRecording()) span.setAttributes(attributes);
}

/** Runs background work in a span, which starts a trace if there is none. A rejection marks the span as failed. */
export function inSpan<T>(name: string, attributes: Attributes, body: () => Promise<T>): Promise<T> {
  const start = spanStart();
  const options = { attributes, startTime: start.time };
  return trace.getTracer(instrumentationScope).startActiveSpan(name, options, async (span) => {
    try {
      return await body();
    } catch (error) {
      span.setAttribute('error.type', errorType(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end(spanEnd(start));
    }
  });
}
