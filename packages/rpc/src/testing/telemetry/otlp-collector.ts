import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';

/** A received span. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  readonly isError: boolean;
  /** In nanoseconds since the epoch. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly links: readonly Pick<ReceivedSpan, 'traceId' | 'spanId'>[];
  /** Service name of the process that sent it. */
  readonly service: string | number | undefined;
  /** Instrumentation scope: `@acme/rpc`, or the official instrumentation. */
  readonly scope: string;
}

export interface OtlpCollector extends AsyncDisposable {
  /** Environment of a process that exports to this collector. */
  readonly environment: Readonly<Record<string, string>>;
  readonly spans: readonly ReceivedSpan[];
  /** Names of the received metrics. */
  readonly metrics: readonly string[];
  /** The received bodies. */
  readonly bodies: readonly string[];
}

/** The fields of OTLP's JSON that are read here. */
interface Otlp {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly scope: { name: string }; readonly spans: readonly OtlpSpan[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly { name: string }[] }[];
  }[];
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

interface OtlpSpan extends Pick<ReceivedSpan, 'traceId' | 'spanId' | 'parentSpanId' | 'name'> {
  readonly kind: number;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code: number };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly links?: ReceivedSpan['links'];
}

/** Span kinds by their number in OTLP, which differs from that in the API. */
const kinds = [
  undefined,
  SpanKind.INTERNAL,
  SpanKind.SERVER,
  SpanKind.CLIENT,
  SpanKind.PRODUCER,
  SpanKind.CONSUMER,
];

/** Starts a collector of OTLP over HTTP. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: ReceivedSpan[] = [];
  const metrics: string[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    bodies.push(body);
    const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(body) as Otlp;
    for (const { resource, scopeSpans } of resourceSpans) {
      const { 'service.name': service } = valuesOf(resource.attributes);
      for (const { scope, spans: received } of scopeSpans)
        spans.push(...received.map((span) => ({ ...spanOf(span), service, scope: scope.name })));
    }
    for (const { scopeMetrics } of resourceMetrics)
      for (const { metrics: received } of scopeMetrics) metrics.push(...received.map(({ name }) => name));
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    },
    spans,
    metrics,
    bodies,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

function spanOf(span: OtlpSpan) {
  const { traceId, spanId, parentSpanId, name, links = [] } = span;
  const kind = kinds[span.kind] ?? SpanKind.INTERNAL;
  const isError = span.status.code === SpanStatusCode.ERROR;
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind,
    attributes: valuesOf(span.attributes),
    isError,
    startNs: BigInt(span.startTimeUnixNano),
    endNs: BigInt(span.endTimeUnixNano),
    links,
  };
}

function valuesOf(attributes: readonly OtlpAttribute[]) {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue] as const),
  );
}
