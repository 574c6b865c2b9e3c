import type { Trace, TraceList, TraceSummary } from '../../api.ts';
import { useJson } from '../data/load-json.ts';
import { traceHref } from '../data/router.ts';
import { Waterfall } from '../traces/waterfall.tsx';
import { fineTime, methodName, milliseconds } from '../widgets/format.ts';
import { Failure, Notice } from '../widgets/notice.tsx';
import { mainSpans, titlesOf } from './main-spans.ts';

const pollMs = 2000;
const maxTraces = 10;

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
