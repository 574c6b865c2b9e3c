/** The fields of OTLP's JSON that the console reads. Integers of 64 bits are numbers or texts (OTLP 1.9, "JSON Protobuf Encoding"). */
export interface OtlpTraces {
  readonly resourceSpans?: readonly (OtlpResource & {
    readonly scopeSpans?: readonly { readonly spans?: readonly OtlpSpan[] }[];
  })[];
}

export interface OtlpMetrics {
  readonly resourceMetrics?: readonly (OtlpResource & {
    readonly scopeMetrics?: readonly { readonly metrics?: readonly OtlpMetric[] }[];
  })[];
}

export interface OtlpLogs {
  readonly resourceLogs?: readonly (OtlpResource & {
    readonly scopeLogs?: readonly { readonly logRecords?: readonly OtlpLogRecord[] }[];
  })[];
}

interface OtlpResource {
  readonly resource?: { readonly attributes?: readonly OtlpAttribute[] };
}

export interface OtlpAttribute {
  readonly key: string;
  readonly value?: OtlpValue;
}

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly OtlpValue[] };
  readonly kvlistValue?: { readonly values?: readonly OtlpAttribute[] };
}

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind?: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly OtlpAttribute[];
  readonly status?: { readonly code?: number };
  readonly links?: readonly { readonly traceId: string }[];
}

export interface OtlpMetric {
  readonly name: string;
  readonly gauge?: { readonly dataPoints?: readonly OtlpNumberPoint[] };
  readonly sum?: {
    readonly aggregationTemporality?: number;
    readonly dataPoints?: readonly OtlpNumberPoint[];
  };
  readonly histogram?: {
    readonly aggregationTemporality?: number;
    readonly dataPoints?: readonly OtlpHistogramPoint[];
  };
}

interface OtlpPoint {
  readonly attributes?: readonly OtlpAttribute[];
  readonly timeUnixNano: string;
}

export interface OtlpNumberPoint extends OtlpPoint {
  readonly asInt?: number | string;
  readonly asDouble?: number;
}

export interface OtlpHistogramPoint extends OtlpPoint {
  readonly count: number | string;
  readonly bucketCounts?: readonly (number | string)[];
  readonly explicitBounds?: readonly number[];
  readonly min?: number;
  readonly max?: number;
}

export interface OtlpLogRecord {
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano?: string;
  readonly severityText?: string;
  readonly body?: OtlpValue;
  readonly attributes?: readonly OtlpAttribute[];
  readonly traceId?: string;
  readonly spanId?: string;
}

/** Aggregation temporality of OTLP: points are of the time since the last export. */
export const deltaTemporality = 1;

const maxAttributes = 64;
const maxTextLength = 1024;
/** Levels of a value in a value. */
const maxDepth = 4;

export type Scalar = string | number | boolean;

/** Returns attributes by name: the first 64, texts up to 1,024 characters, lists and maps as JSON. */
export function scalarsOf(attributes: readonly OtlpAttribute[] = []): Record<string, Scalar> {
  const scalars: Record<string, Scalar> = {};
  for (const { key, value } of attributes.slice(0, maxAttributes)) {
    const read = readValue(value, maxDepth);
    scalars[shortened(key)] = typeof read === 'object' ? shortened(JSON.stringify(read)) : read;
  }
  return scalars;
}

/** Returns attributes by name, as `scalarsOf`, but lists and maps as such. */
export function fieldsOf(
  attributes: readonly OtlpAttribute[] = [],
  depth = maxDepth,
): Record<string, unknown> {
  return Object.fromEntries(
    attributes.slice(0, maxAttributes).map(({ key, value }) => [shortened(key), readValue(value, depth)]),
  );
}

/** Returns a text that an attribute value stands for. */
export function textOf(value: OtlpValue | undefined): string {
  const read = readValue(value, maxDepth);
  return typeof read === 'object' ? shortened(JSON.stringify(read)) : String(read);
}

/** Returns the attribute `service.name`, and `service.instance.id`, which is empty if there is none. */
export function sourceOf({ resource }: OtlpResource): {
  readonly service: string;
  readonly instance: string;
} {
  const { 'service.name': service = 'unknown', 'service.instance.id': instance = '' } = scalarsOf(
    resource?.attributes,
  );
  return { service: String(service), instance: String(instance) };
}

/** Returns the id of a span (16 digits) or a trace (32) in lower case; undefined if the value is not such an id. */
export function idOf(value: unknown, digits: 16 | 32): string | undefined {
  if (typeof value !== 'string' || value.length !== digits || !/^[0-9a-f]+$/i.test(value)) return undefined;
  return value.toLowerCase();
}

/** Returns Unix ms, with fractions. */
export function msOf(unixNano: string): number {
  // Nanoseconds do not fit a number: whole milliseconds and their fraction do.
  return Number(unixNano.slice(0, -6)) + Number(unixNano.slice(-6)) / 1e6;
}

function readValue(value: OtlpValue | undefined, depth: number): Scalar | object {
  if (value?.stringValue !== undefined) return shortened(value.stringValue);
  if (value?.intValue !== undefined) return Number(value.intValue);
  if (value?.doubleValue !== undefined) return Number(value.doubleValue);
  if (value?.boolValue !== undefined) return value.boolValue === true;
  if (depth === 0) return '…';
  if (value?.arrayValue)
    return (value.arrayValue.values ?? []).slice(0, maxAttributes).map((each) => readValue(each, depth - 1));
  return value?.kvlistValue ? fieldsOf(value.kvlistValue.values, depth - 1) : '';
}

/** Returns the text, up to 1,024 characters. It is empty for a value of another type, which a sender may have put there. */
export function shortened(text: unknown): string {
  if (typeof text !== 'string') return '';
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
}
