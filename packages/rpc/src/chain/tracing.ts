import {
  type Attributes,
  type Context,
  context,
  type Link,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import type { PeerScopes } from '../auth/peer-scopes.ts';
import type { ServedMethod } from '../call/call-context.ts';
import type { Interceptor, ServerCall } from '../call/handler.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { serverFaultCodes } from '../errors/status-codes.ts';
import { getOrInsert } from '../node-24/get-or-insert.ts';
import {
  durationHistogram,
  instrumentationScope,
  methodAttributes,
  outcomeAttributes,
  previousAttemptsAttribute,
  serverAttributes,
} from '../telemetry/call-telemetry.ts';
import { spanEnd, spanStart } from '../telemetry/span-time.ts';
import { isGrpcInstrumented } from '../telemetry/telemetry.ts';

/** Maximum length of a DNS name (RFC 1035) with a port. */
const maxNameLength = 261;

/** The context in which a call is served, and the function that ends its span. */
interface CallSpan {
  readonly context: Context;
  readonly end: (code: Code, error: unknown) => void;
}

/** Callers whose trace context is continued: those with the certificate of a peer, or all callers. */
export type TraceContextTrust = 'peers' | 'all';

type IsTrusted = (call: ServerCall) => boolean;

type OpenSpan = (call: ServerCall, attributes: Attributes, previousAttempts: number) => CallSpan;

/**
 * Records one SERVER span and the metrics of every call, whatever ends it. The span continues the trace of a trusted
 * caller. The trace of any other caller is only linked: its sampled flag does not make this service record, and its
 * tracestate and baggage are not read (ADR 28).
 *
 * - `rpc.server.call.duration`: histogram in seconds, by method and by the code that is sent.
 * - `rpc.server.active_calls`: calls being served, by method. Named after `http.server.active_requests`, because the
 *   semantic conventions for RPC have no equivalent.
 * - `rpc.server.call.retries`: calls that the client attempted before, retries and hedges alike, by method.
 *
 * With the official gRPC instrumentation the spans of gRPC calls are its own. It records no metrics, so these remain.
 */
export function tracing(peers: PeerScopes, trust: TraceContextTrust): Interceptor {
  const meter = metrics.getMeter(instrumentationScope);
  const durations = durationHistogram('server');
  const known = new Map<ServedMethod, MethodTelemetry>();
  // Observable: an update at the start and the end of every call would cost as much as the span.
  meter.createObservableUpDownCounter('rpc.server.active_calls', { unit: '{call}' }).addCallback((result) => {
    for (const { active, attributes } of known.values()) result.observe(active, attributes);
  });
  const retries = meter.createCounter('rpc.server.call.retries', { unit: '{call}' });
  const isTrusted = trust === 'all' ? () => true : isPeer(peers);
  const openSpan = ownSpans(isTrusted);
  const openGrpcSpan = isGrpcInstrumented() ? officialSpan(isTrusted) : openSpan;
  return (next) => async (call) => {
    const startMs = performance.now();
    const method = getOrInsert(known, call.method, methodTelemetry);
    const previousAttempts = previousAttemptsOf(call);
    method.active++;
    if (previousAttempts > 0) retries.add(1, method.attributes);
    const open = call.method.protocol === 'grpc' ? openGrpcSpan : openSpan;
    const span = open(call, method.attributes, previousAttempts);
    if (previousAttempts > 0) call.logFields.previous_attempts = previousAttempts;
    let code: Code = Code.OK;
    let failure: unknown;
    try {
      await context.with(span.context, next, undefined, call);
    } catch (error) {
      failure = error;
      // The same code that `toGrpcStatus` sends.
      code = error instanceof RpcError ? error.code : Code.INTERNAL;
      throw error;
    } finally {
      span.end(code, failure);
      durations.record((performance.now() - startMs) / 1000, method.outcome(code));
      method.active--;
    }
  };
}

/** The state that all calls of a method share. */
interface MethodTelemetry {
  readonly attributes: Attributes;
  /** Calls being served. */
  active: number;
  /** Returns the attributes of a call that ended with the code. */
  outcome(code: Code): Attributes;
}

function methodTelemetry(method: ServedMethod): MethodTelemetry {
  const attributes = methodAttributes(method.name, method.protocol);
  const outcomes = new Map<Code, Attributes>();
  const outcomeOf = (code: Code) => ({
    ...attributes,
    ...outcomeAttributes(code, serverFaultCodes.has(code)),
  });
  return { attributes, active: 0, outcome: (code) => getOrInsert(outcomes, code, outcomeOf) };
}

const headers: TextMapGetter<ServerCall> = {
  get: (call, key) => call.metadata(key),
  keys: () => [],
};

/** Reads only the headers that identify the caller's span. `tracestate` and `baggage` can hold any text. */
const spanHeaders: TextMapGetter<ServerCall> = {
  get: (call, key) => (key === 'tracestate' || key === 'baggage' ? undefined : call.metadata(key)),
  keys: () => [],
};

/** Reads the certificate only if there is a context to continue: Node parses it anew for each call. */
function isPeer(peers: PeerScopes): IsTrusted {
  return (call) =>
    peers.size > 0 &&
    propagation.fields().some((name) => call.metadata(name) !== undefined) &&
    peers.has(call.peerIdentity ?? '');
}

/** Returns a link to the span that the caller sent. */
function linksOf(call: ServerCall): Link[] {
  const sent = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, call, spanHeaders));
  return sent ? [{ context: sent }] : [];
}

function ownSpans(isTrusted: IsTrusted): OpenSpan {
  const tracer = trace.getTracer(instrumentationScope);
  // Nearly all callers use the same name, so it is parsed once.
  let server = serverOf('');
  return (call, attributes, previousAttempts) => {
    const trusted = isTrusted(call);
    const parent = trusted ? propagation.extract(context.active(), call, headers) : context.active();
    const start = spanStart();
    const options = {
      kind: SpanKind.SERVER,
      attributes,
      startTime: start.time,
      ...(!trusted && { links: linksOf(call) }),
    };
    const span = tracer.startSpan(call.method.name, options, parent);
    if (span.isRecording()) {
      if (call.authority !== server.authority) server = serverOf(call.authority);
      span.setAttributes(server.attributes);
      setCaller(span, call.peer);
      if (previousAttempts > 0) span.setAttribute(previousAttemptsAttribute, previousAttempts);
    }
    return {
      context: trace.setSpan(parent, span),
      end: (code, error) => {
        span.setAttributes(outcomeAttributes(code, serverFaultCodes.has(code)));
        if (serverFaultCodes.has(code)) span.setStatus({ code: SpanStatusCode.ERROR });
        const endTime = spanEnd(start);
        if (code === Code.INTERNAL) span.recordException(exceptionOf(error), endTime);
        span.end(endTime);
      },
    };
  };
}

function serverOf(authority: string) {
  return { authority, attributes: serverAttributes(authority.slice(0, maxNameLength)) };
}

/** Uses the span that the instrumentation opened and will end. It continues the trace of every caller. */
function officialSpan(isTrusted: IsTrusted): OpenSpan {
  return (call) => ({
    context: isTrusted(call) ? context.active() : propagation.deleteBaggage(context.active()),
    end: () => {},
  });
}

/** Sets the caller's address from `127.0.0.1:5000` or `::1:5000`. A caller through a Unix socket has none. */
function setCaller(span: Span, peer: string): void {
  const colon = peer.lastIndexOf(':');
  if (colon < 0) return;
  span.setAttribute('client.address', peer.slice(0, colon));
  span.setAttribute('client.port', Number(peer.slice(colon + 1)));
}

/** Returns the cause of an INTERNAL error, which is not sent to the caller. */
function exceptionOf(error: unknown): Error | string {
  const cause = error instanceof RpcError && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Error || typeof cause === 'string') return cause;
  return `a thrown ${typeof cause}`;
}

/** Returns the number of previous attempts that the client reports (gRFC A6); 0 for an invalid value. */
function previousAttemptsOf(call: ServerCall): number {
  const attempts = call.metadata('grpc-previous-rpc-attempts');
  return attempts !== undefined && /^\d{1,3}$/.test(attempts) ? Number(attempts) : 0;
}
