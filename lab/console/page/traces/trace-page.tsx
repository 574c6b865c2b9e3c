import { useSignal } from '@preact/signals';
import type { Span, Trace } from '../../api.ts';
import { useJson } from '../data/load-json.ts';
import { counted, fineTime, milliseconds } from '../widgets/format.ts';
import { Failure, Notice } from '../widgets/notice.tsx';
import { LogLines } from './log-lines.tsx';
import { SpanDetails } from './span-details.tsx';
import { extentOf, inOrder } from './span-tree.ts';
import { Waterfall } from './waterfall.tsx';

/** The services export in batches: spans and lines may arrive late. */
const pollMs = 2000;

export function TracePage({ id }: { readonly id: string }) {
  const { value: trace, failure } = useJson<Trace>(`/api/traces/${encodeURIComponent(id)}`, pollMs).value;
  const selected = useSignal<string | undefined>(undefined);
  if (!trace) return failure ? <Failure message={failure} /> : <Notice>Reads the trace.</Notice>;
  const [root] = inOrder(trace.spans);
  const span = trace.spans.find((each) => each.id === selected.value) ?? root?.span;
  if (!span) return <Notice>The trace has no spans.</Notice>;
  return (
    <div class="trace">
      <TraceTitle id={id} spans={trace.spans} root={root?.span} />
      <Failure message={failure} />
      <div class="trace-columns">
        <Waterfall
          spans={trace.spans}
          selected={span.id}
          onSelect={(chosen) => {
            selected.value = chosen.id;
          }}
        />
        <aside>
          <SpanDetails span={span} />
          <LogLines logs={trace.logs} selected={selected.value} />
        </aside>
      </div>
    </div>
  );
}

interface TraceTitleProps {
  readonly id: string;
  readonly spans: readonly Span[];
  readonly root: Span | undefined;
}

function TraceTitle({ id, spans, root }: TraceTitleProps) {
  const { startMs, endMs } = extentOf(spans);
  const services = new Set(spans.map(({ service }) => service));
  return (
    <div class="page-title">
      <a href="#/traces">Traces</a>
      <h2>{root?.name}</h2>
      <p>
        {fineTime(startMs)} · {milliseconds(endMs - startMs)} · {counted(spans.length, 'span')} of{' '}
        {[...services].join(' and ')} · {id}
      </p>
    </div>
  );
}
