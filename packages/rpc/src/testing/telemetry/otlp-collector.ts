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
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
  /** In nanoseconds since the epoch. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly links: readonly Pick<ReceivedSpan, 'traceId' | 'spanId'>[];
  /** Service name of the process that sent it. */
  readonly service: unknown;
  /** Instrumentation scope: `@acme/rpc`, or the official instrumentation. */
  readonly scope: string;
}

/** A received log record. */
export interface ReceivedLogRecord {
  readonly body: unknown;
  readonly severityText: string;
  readonly severityNumber: number;
  /** In nanoseconds since the epoch. */
  readonly timeNs: bigint;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Service name of the process that sent it. */
  readonly service: unknown;
}

export interface OtlpCollector extends AsyncDisposable {
  /** Environment of a process that exports to this collector. */
  readonly environment: Readonly<Record<string, string>>;
  readonly spans: readonly ReceivedSpan[];
  /** Names of the received metrics. */
  readonly metrics: readonly string[];
  readonly logs: readonly ReceivedLogRecord[];
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
  readonly resourceLogs?: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly OtlpLogRecord[] }[];
  }[];
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

/** Has one of the members, or none for null. */
interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values: readonly OtlpValue[] };
  readonly kvlistValue?: { readonly values: readonly OtlpAttribute[] };
}

interface OtlpLogRecord
  extends Pick<ReceivedLogRecord, 'severityText' | 'severityNumber' | 'traceId' | 'spanId'> {
  readonly timeUnixNano: string;
  readonly body: OtlpValue;
  readonly attributes: readonly OtlpAttribute[];
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
  const logs: ReceivedLogRecord[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    bodies.push(body);
    const { resourceSpans = [], resourceMetrics = [], resourceLogs = [] } = JSON.parse(body) as Otlp;
    for (const { resource, scopeSpans } of resourceSpans) {
      const { 'service.name': service } = valuesOf(resource.attributes);
      for (const { scope, spans: received } of scopeSpans)
        spans.push(...received.map((span) => ({ ...spanOf(span), service, scope: scope.name })));
    }
    for (const { scopeMetrics } of resourceMetrics)
      for (const { metrics: received } of scopeMetrics) metrics.push(...received.map(({ name }) => name));
    for (const { resource, scopeLogs } of resourceLogs) {
      const { 'service.name': service } = valuesOf(resource.attributes);
      for (const { logRecords } of scopeLogs)
        logs.push(...logRecords.map((record) => ({ ...logRecordOf(record), service })));
    }
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
    logs,
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

function logRecordOf(record: OtlpLogRecord) {
  const { severityText, severityNumber, timeUnixNano, traceId, spanId } = record;
  return {
    body: plainValue(record.body),
    severityText,
    severityNumber,
    timeNs: BigInt(timeUnixNano),
    traceId,
    spanId,
    attributes: valuesOf(record.attributes),
  };
}

function valuesOf(attributes: readonly OtlpAttribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: OtlpValue): unknown {
  if (value.arrayValue) return value.arrayValue.values.map(plainValue);
  if (value.kvlistValue) return valuesOf(value.kvlistValue.values);
  return value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue ?? null;
}
