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
import type { MethodInfo } from '../call/call-context.ts';
import type { Interceptor, ServerCall } from '../call/handler.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { serverFaultCodes } from '../errors/status-codes.ts';
import {
  durationHistogram,
  methodAttributes,
  outcomeAttributes,
  previousAttemptsAttribute,
  scope,
  serverAttributes,
} from '../telemetry/call-telemetry.ts';
import { isGrpcInstrumented } from '../telemetry/telemetry.ts';

/** The longest name that DNS has (RFC 1035), and a port. */
const maxNameLength = 261;

/** Where a call takes place, and what its end is told to. */
interface CallSpan {
  readonly context: Context;
  readonly end: (code: Code, error: unknown) => void;
}

/** Whose trace context is continued: that of callers with the certificate of a peer, or of all callers. */
export type TraceContextTrust = 'peers' | 'all';

type IsTrusted = (call: ServerCall) => boolean;

type OpenSpan = (call: ServerCall, attributes: Attributes, previousAttempts: number) => CallSpan;

/**
 * One SERVER span a call whatever ends it, and its measurements. The span is within the trace of a trusted caller. Any
 * other caller's trace is only linked: its sampled flag does not make this service record, and its tracestate and baggage
 * are not read (ADR 28).
 *
 *
 * - `rpc.server.call.duration`, a histogram in seconds by method and code,
 * - `rpc.server.active_calls`, those being served, by method (the conventions have no such thing for RPC; the name
 *   follows their http.server.active_requests),
 * - `rpc.server.call.retries`, those that a client has tried before, retries and hedges alike, by method.
 *
 * The code is the one that is sent. Without an SDK all this costs next to nothing. Where the official instrumentation is
 * switched on the spans are its own; it measures nothing, so the measurements stay.
 */
export function tracing(peers: PeerScopes, trust: TraceContextTrust): Interceptor {
  const meter = metrics.getMeter(scope);
  const durations = durationHistogram('server');
  const known = new Map<MethodInfo, MethodTelemetry>();
  // Asked for when it is exported: told at every beginning and end it would cost as much as the span.
  meter.createObservableUpDownCounter('rpc.server.active_calls', { unit: '{call}' }).addCallback((result) => {
    for (const { active, attributes } of known.values()) result.observe(active, attributes);
  });
  const retries = meter.createCounter('rpc.server.call.retries', { unit: '{call}' });
  const isTrusted = trust === 'all' ? () => true : isPeer(peers);
  const openSpan = isGrpcInstrumented() ? officialSpan(isTrusted) : ownSpans(isTrusted);
  return (next) => async (call) => {
    const startMs = performance.now();
    const method = known.getOrInsertComputed(call.method, methodTelemetry);
    const previousAttempts = previousAttemptsOf(call);
    method.active++;
    if (previousAttempts > 0) retries.add(1, method.attributes);
    const span = openSpan(call, method.attributes, previousAttempts);
    if (previousAttempts > 0) call.logFields.previous_attempts = previousAttempts;
    let code: Code = Code.OK;
    let failure: unknown;
    try {
      await context.with(span.context, next, undefined, call);
    } catch (error) {
      failure = error;
      // As the bridge sends it.
      code = error instanceof RpcError ? error.code : Code.INTERNAL;
      throw error;
    } finally {
      span.end(code, failure);
      durations.record((performance.now() - startMs) / 1000, method.outcome(code));
      method.active--;
    }
  };
}

/** What is the same for all calls of a method, and so is made once. */
interface MethodTelemetry {
  readonly attributes: Attributes;
  /** Calls being served. */
  active: number;
  /** The attributes of a call that ended so. */
  outcome(code: Code): Attributes;
}

function methodTelemetry(method: MethodInfo): MethodTelemetry {
  const attributes = methodAttributes(method);
  const outcomes = new Map<Code, Attributes>();
  const outcomeOf = (code: Code) => ({
    ...attributes,
    ...outcomeAttributes(code, serverFaultCodes.has(code)),
  });
  return { attributes, active: 0, outcome: (code) => outcomes.getOrInsertComputed(code, outcomeOf) };
}

const headers: TextMapGetter<ServerCall> = {
  get: (call, key) => call.header(key),
  keys: () => [],
};

/** Only what names the caller's span. The others hold any text. */
const spanHeaders: TextMapGetter<ServerCall> = {
  get: (call, key) => (key === 'tracestate' || key === 'baggage' ? undefined : call.header(key)),
  keys: () => [],
};

/** The certificate is looked at only if there is a context to continue: Node parses it anew for each call. */
function isPeer(peers: PeerScopes): IsTrusted {
  return (call) =>
    peers.size > 0 &&
    propagation.fields().some((name) => call.header(name) !== undefined) &&
    peers.has(call.peerIdentity ?? '');
}

/** The span context that the caller sent, to link to. */
function linksOf(call: ServerCall): Link[] {
  const sent = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, call, spanHeaders));
  return sent ? [{ context: sent }] : [];
}

function ownSpans(isTrusted: IsTrusted): OpenSpan {
  const tracer = trace.getTracer(scope);
  // Nearly all callers use one name, so what it says is read off it once.
  let server = serverOf('');
  return (call, attributes, previousAttempts) => {
    const trusted = isTrusted(call);
    const parent = trusted ? propagation.extract(context.active(), call, headers) : context.active();
    const options = {
      kind: SpanKind.SERVER,
      attributes,
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
        if (code === Code.INTERNAL) span.recordException(exceptionOf(error));
        span.end();
      },
    };
  };
}

function serverOf(authority: string) {
  return { authority, attributes: serverAttributes(authority.slice(0, maxNameLength)) };
}

/** The span is open already and ends by itself. The instrumentation continues the trace of every caller. */
function officialSpan(isTrusted: IsTrusted): OpenSpan {
  return (call) => ({
    context: isTrusted(call) ? context.active() : propagation.deleteBaggage(context.active()),
    end: () => {},
  });
}

/** `127.0.0.1:5000` or `::1:5000`, as grpc-js writes it; a caller through a Unix socket has no address. */
function setCaller(span: Span, peer: string): void {
  const colon = peer.lastIndexOf(':');
  if (colon < 0) return;
  span.setAttribute('client.address', peer.slice(0, colon));
  span.setAttribute('client.port', Number(peer.slice(colon + 1)));
}

/** What went wrong below, of which the caller is not told. */
function exceptionOf(error: unknown): Error | string {
  const cause = error instanceof RpcError && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Error || typeof cause === 'string') return cause;
  return `a thrown ${typeof cause}`;
}

/** How often the client says that it has tried before (gRFC A6). Whoever calls can write anything there. */
function previousAttemptsOf(call: ServerCall): number {
  const header = call.header('grpc-previous-rpc-attempts');
  return header !== undefined && /^\d{1,3}$/.test(header) ? Number(header) : 0;
}
