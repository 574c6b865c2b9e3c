import type { Span, TraceList, TraceSummary } from '../../api.ts';
import { msOf, type OtlpSpan, type OtlpTraces, scalarsOf, sourceOf } from './otlp-json.ts';

/** The last thousand traces, and those of the last orders that a page watches. */
export interface TraceStore {
  add(traces: OtlpTraces): void;
  /** Keeps the traces of an order longer, up to a hundred for all such orders. */
  watchOrder(orderId: string): void;
  /** Returns the traces that match, newest first. */
  list(search: TraceSearch): TraceList;
  /** Returns the spans of a trace in the order of their start; undefined if it is not kept. */
  spansOf(traceId: string): readonly Span[] | undefined;
}

/** A trace matches if one of its spans does, in each respect that is given. */
export interface TraceSearch {
  readonly order?: string | undefined;
  /** A part of a span's name, in any case. */
  readonly method?: string | undefined;
  readonly code?: string | undefined;
  readonly service?: string | undefined;
  /** Minimum duration of the trace. */
  readonly minMs?: number | undefined;
  /** Default: 50. */
  readonly limit?: number | undefined;
}

const maxTraces = 1000;
const maxWatched = 100;
const maxSpans = 1000;
const maxLinks = 100;
const defaultLimit = 50;
/** Traces whose late spans are ignored, because their others are gone. */
const maxForgotten = 4 * maxTraces;

/** Span kinds by their number in OTLP. */
const kinds: readonly Span['kind'][] = ['internal', 'internal', 'server', 'client', 'internal', 'internal'];

export function createTraceStore(): TraceStore {
  const traces = new Map<string, Span[]>();
  const ofWatched = new Map<string, Span[]>();
  const watchedOrders = new Set<string>();
  const forgotten = new Set<string>();
  const keep = (traceId: string, span: Span) => {
    if (forgotten.has(traceId)) return;
    const spans = traces.get(traceId) ?? ofWatched.get(traceId);
    if (!spans) traces.set(traceId, [span]);
    else if (spans.length < maxSpans) spans.push(span);
    if (traces.size > maxTraces) forget(traces);
  };
  const forget = (from: Map<string, Span[]>) => {
    const [[traceId, spans] = ['', []]] = from;
    from.delete(traceId);
    if (from === traces && isWatched(spans)) {
      ofWatched.set(traceId, spans);
      if (ofWatched.size > maxWatched) forget(ofWatched);
    } else addBounded(forgotten, traceId, maxForgotten);
  };
  const isWatched = (spans: readonly Span[]) =>
    watchedOrders.size > 0 &&
    spans.some(({ attributes }) => watchedOrders.has(String(attributes['order.id'])));
  const all = () => [...ofWatched, ...traces];
  return {
    add: ({ resourceSpans = [] }) => {
      for (const resource of resourceSpans) {
        const { service } = sourceOf(resource);
        for (const { spans = [] } of resource.scopeSpans ?? [])
          for (const span of spans) keep(span.traceId, spanOf(service, span));
      }
    },
    watchOrder: (orderId) => addBounded(watchedOrders, orderId, maxWatched),
    list: ({ limit = defaultLimit, ...search }) => {
      const found: TraceSummary[] = [];
      for (const [id, spans] of all().toReversed()) {
        if (!matches(spans, search)) continue;
        const summary = summaryOf(id, spans);
        if (summary.durationMs >= (search.minMs ?? 0)) found.push(summary);
        if (found.length >= limit) break;
      }
      return { kept: traces.size, traces: found.toSorted((a, b) => b.startMs - a.startMs) };
    },
    spansOf: (traceId) =>
      (traces.get(traceId) ?? ofWatched.get(traceId))?.toSorted((a, b) => a.startMs - b.startMs),
  };
}

/** Adds an item, and removes the oldest beyond the limit. */
function addBounded(items: Set<string>, item: string, max: number): void {
  items.add(item);
  const [oldest = ''] = items;
  if (items.size > max) items.delete(oldest);
}

function spanOf(service: string, span: OtlpSpan): Span {
  const startMs = msOf(span.startTimeUnixNano);
  const attributes = scalarsOf(span.attributes);
  const code = attributes['rpc.status_code'];
  return {
    id: span.spanId,
    parentId: span.parentSpanId || null,
    service,
    name: span.name,
    kind: kinds[span.kind ?? 0] ?? 'internal',
    startMs,
    durationMs: msOf(span.endTimeUnixNano) - startMs,
    code: code === undefined ? null : String(code),
    isError: span.status?.code === 2,
    attributes,
    links: (span.links ?? []).slice(0, maxLinks).map(({ traceId }) => traceId),
  };
}

function matches(spans: readonly Span[], { order, method, code, service }: TraceSearch): boolean {
  const text = method?.toLowerCase();
  return (
    (order === undefined || spans.some(({ attributes }) => attributes['order.id'] === order)) &&
    (text === undefined || spans.some(({ name }) => name.toLowerCase().includes(text))) &&
    (code === undefined || spans.some((span) => span.code === code)) &&
    (service === undefined || spans.some((span) => span.service === service))
  );
}

function summaryOf(id: string, spans: readonly Span[]): TraceSummary {
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const endMs = Math.max(...spans.map((span) => span.startMs + span.durationMs));
  const first = firstSpan(spans);
  const orderId = spans.map(({ attributes }) => attributes['order.id']).find((value) => value !== undefined);
  return {
    id,
    startMs,
    durationMs: endMs - startMs,
    service: first?.service ?? '',
    name: first?.name ?? '',
    code: first?.code ?? '',
    orderId: orderId === undefined ? null : String(orderId),
    spans: spans.length,
    hasError: spans.some(({ isError }) => isError),
  };
}

/** Returns the earliest span whose parent is not in the trace. */
function firstSpan(spans: readonly Span[]): Span | undefined {
  const ids = new Set(spans.map(({ id }) => id));
  const roots = spans.filter(({ parentId }) => parentId === null || !ids.has(parentId));
  return roots.toSorted((a, b) => a.startMs - b.startMs)[0];
}
