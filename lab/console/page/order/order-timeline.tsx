import type { Span, Trace, TraceList, TraceSummary } from '../../api.ts';
import { useJson } from '../data/load-json.ts';
import { traceHref } from '../data/router.ts';
import { Waterfall } from '../traces/waterfall.tsx';
import { fineTime, methodName, milliseconds } from '../widgets/format.ts';
import { Failure, Notice } from '../widgets/notice.tsx';

const pollMs = 2000;
const maxTraces = 10;

/** The spans that the transactions of an order have, and what they do. See ARCHITECTURE.md. */
const phases: Readonly<Record<string, string>> = {
  'place-orders': 'T1: stores the order, PENDING',
  'reserve-stock': 'reserve: asks inventory',
  reserve: 'T2: reserves the stock',
  'settle-orders': 'T3: stores the outcome',
};

/** Where the time of an order went: each of its traces, reduced to the transactions. */
export function OrderTimeline({ orderId }: { readonly orderId: string }) {
  const path = `/api/traces?order=${encodeURIComponent(orderId)}&limit=${maxTraces}`;
  const { value, failure } = useJson<TraceList>(path, pollMs).value;
  return (
    <section class="timeline" aria-labelledby="timeline-title">
      <h3 id="timeline-title">Timeline</h3>
      <Failure message={failure} />
      {value?.traces.length === 0 && (
        <Notice>The console keeps no trace of this order: it keeps the last thousand.</Notice>
      )}
      {value?.traces.toReversed().map((trace) => (
        <Attempt key={trace.id} summary={trace} />
      ))}
    </section>
  );
}

function Attempt({ summary }: { readonly summary: TraceSummary }) {
  const { id, name, startMs, durationMs } = summary;
  const { value: trace, failure } = useJson<Trace>(`/api/traces/${id}`, pollMs).value;
  const spans = trace ? mainSpans(trace.spans) : [];
  return (
    <article>
      <h4>
        <a href={traceHref(id)}>{methodName(name)}</a>{' '}
        <span class="aside">
          {fineTime(startMs)}, {milliseconds(durationMs)}
        </span>
      </h4>
      <Failure message={failure} />
      {spans.length > 0 && <Waterfall spans={spans} titles={titlesOf(spans)} />}
    </article>
  );
}

/** Returns the calls and the transactions, each below the next one that is kept. */
function mainSpans(spans: readonly Span[]): readonly Span[] {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const isMain = (span: Span) => span.parentId === null || span.kind === 'server' || isPhase(span);
  const keptParent = ({ parentId }: Span): string | null => {
    const parent = parentId === null ? undefined : byId.get(parentId);
    if (!parent) return null;
    return isMain(parent) ? parent.id : keptParent(parent);
  };
  return spans.filter(isMain).map((span) => ({ ...span, parentId: keptParent(span) }));
}

function titlesOf(spans: readonly Span[]): ReadonlyMap<string, string> {
  return new Map(spans.filter(isPhase).map(({ id, name }) => [id, phases[name] ?? name]));
}

/** Whether the span is a call's time in a transaction. The statement below it may have the same name. */
function isPhase({ name, kind }: Span): boolean {
  return kind === 'internal' && name in phases;
}
