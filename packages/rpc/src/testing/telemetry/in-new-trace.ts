import { randomBytes } from 'node:crypto';
import { context, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';

/** A caller's span, which identifies the spans of one call. */
export interface CallerSpan {
  readonly traceId: string;
  readonly spanId: string;
}

/** Runs the body in a new, sampled trace. */
export function inNewTrace<T>(body: () => T): { readonly caller: CallerSpan; readonly result: T } {
  const caller = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
  const spanContext = { ...caller, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return { caller, result: context.with(trace.setSpanContext(ROOT_CONTEXT, spanContext), body) };
}
