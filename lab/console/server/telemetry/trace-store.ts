import type { Span, TraceList, TraceSummary } from '../../api.ts';
import { idOf, msOf, type OtlpSpan, type OtlpTraces, scalarsOf, shortened, sourceOf } from './otlp-json.ts';

/** The last thousand traces, and those of the last orders that a page watches: up to 64 MiB of their text. */
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
const maxSize = 64 * 1024 * 1024;
const defaultLimit = 50;
/** Traces whose late spans are ignored, because their others are gone. */
const maxForgotten = 4 * maxTraces;

/** Span kinds by their number in OTLP. */
const kinds: readonly Span['kind'][] = ['internal', 'internal', 'server', 'client', 'internal', 'internal'];

interface KeptTrace {
  readonly spans: Span[];
  /** Ids of the spans: a sender repeats a batch whose answer it has not got. */
  readonly ids: Set<string>;
  /** Size of the spans' text, which is about that of the memory. */
  size: number;
}

export function createTraceStore(): TraceStore {
  const traces = new Map<string, KeptTrace>();
  const ofWatched = new Map<string, KeptTrace>();
  const watchedOrders = new Set<string>();
  const forgotten = new Set<string>();
  let size = 0;
  const keep = (traceId: string, span: Span) => {
    if (forgotten.has(traceId)) return;
    const trace =
      ofWatched.get(traceId) ??
      traces.getOrInsertComputed(traceId, () => ({ spans: [], ids: new Set(), size: 0 }));
    if (trace.spans.length >= maxSpans || trace.ids.has(span.id)) return;
    trace.spans.push(span);
    trace.ids.add(span.id);
    const length = JSON.stringify(span).length;
    trace.size += length;
    size += length;
    if (traces.size > maxTraces) forget(traces);
    while (size > maxSize) forget(ofWatched.size > 0 ? ofWatched : traces);
  };
  const forget = (from: Map<string, KeptTrace>) => {
    const [oldest] = from;
    if (!oldest) return;
    const [traceId, trace] = oldest;
    from.delete(traceId);
    if (from === traces && isWatched(trace.spans)) {
      ofWatched.set(traceId, trace);
      if (ofWatched.size > maxWatched) forget(ofWatched);
    } else {
      size -= trace.size;
      addBounded(forgotten, traceId, maxForgotten);
    }
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
          for (const each of spans) {
            const span = spanOf(service, each);
            const traceId = idOf(each.traceId, 32);
            if (span && traceId) keep(traceId, span);
          }
      }
    },
    watchOrder: (orderId) => addBounded(watchedOrders, orderId, maxWatched),
    list: ({ limit = defaultLimit, ...search }) => {
      const found: TraceSummary[] = [];
      for (const [id, { spans }] of all().toReversed()) {
        if (!matches(spans, search)) continue;
        const summary = summaryOf(id, spans);
        if (summary.durationMs >= (search.minMs ?? 0)) found.push(summary);
        if (found.length >= limit) break;
      }
      return { kept: traces.size, traces: found.toSorted((a, b) => b.startMs - a.startMs) };
    },
    spansOf: (traceId) =>
      (traces.get(traceId) ?? ofWatched.get(traceId))?.spans.toSorted((a, b) => a.startMs - b.startMs),
  };
}

/** Adds an item, and removes the oldest beyond the limit. */
function addBounded(items: Set<string>, item: string, max: number): void {
  items.add(item);
  const [oldest = ''] = items;
  if (items.size > max) items.delete(oldest);
}

/** Returns the span; undefined if it has no id, or no time. */
function spanOf(service: string, span: OtlpSpan): Span | undefined {
  const startMs = msOf(span.startTimeUnixNano);
  const durationMs = msOf(span.endTimeUnixNano) - startMs;
  const id = idOf(span.spanId, 16);
  if (id === undefined || !Number.isFinite(startMs + durationMs)) return undefined;
  const attributes = scalarsOf(span.attributes);
  const code = attributes['rpc.status_code'];
  return {
    id,
    parentId: idOf(span.parentSpanId, 16) ?? null,
    service,
    name: shortened(span.name),
    kind: kinds[Number(span.kind)] ?? 'internal',
    startMs,
    durationMs,
    code: code === undefined ? null : String(code),
    isError: span.status?.code === 2,
    attributes,
    links: (span.links ?? []).slice(0, maxLinks).flatMap(({ traceId }) => idOf(traceId, 32) ?? []),
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
