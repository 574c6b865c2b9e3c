import type { TraceList, TraceSummary } from '../../api.ts';
import { useJson } from '../data/load-json.ts';
import { orderHref, route, traceHref } from '../data/router.ts';
import { count, methodName, milliseconds, shortId, time } from '../widgets/format.ts';
import { Failure, Notice, TelemetryElsewhere } from '../widgets/notice.tsx';
import { type Fields, fieldsOf, TraceSearch } from './trace-search.tsx';

const pollMs = 2000;
const limit = 100;

/** The newest traces that match the search of the URL. */
export function TracesPage() {
  const fields = fieldsOf(route.value.search);
  return (
    <div class="traces">
      <TelemetryElsewhere />
      <TraceSearch key={JSON.stringify(fields)} fields={fields} />
      <Results fields={fields} />
    </div>
  );
}

function Results({ fields }: { readonly fields: Fields }) {
  const query = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== ''));
  query.set('limit', String(limit));
  const { value, failure } = useJson<TraceList>(`/api/traces?${query}`, pollMs).value;
  if (!value) return failure ? <Failure message={failure} /> : <Notice>Searches.</Notice>;
  return (
    <>
      <Failure message={failure} />
      <table class="trace-list">
        <caption>
          {value.traces.length === limit ? `The newest ${limit}` : count(value.traces.length)} of{' '}
          {count(value.kept)} traces that the console keeps
        </caption>
        <thead>
          <tr>
            <th scope="col">Start</th>
            <th scope="col">Trace</th>
            <th scope="col">Code</th>
            <th scope="col">Order</th>
            <th scope="col" class="number">
              Spans
            </th>
            <th scope="col" class="number">
              Duration
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {value.traces.map((trace) => (
            <Row
              key={trace.id}
              trace={trace}
              longestMs={Math.max(...value.traces.map((each) => each.durationMs))}
            />
          ))}
        </tbody>
      </table>
      {value.traces.length === 0 && <Notice>No kept trace matches.</Notice>}
    </>
  );
}

function Row({ trace, longestMs }: { readonly trace: TraceSummary; readonly longestMs: number }) {
  const { id, startMs, service, name, code, orderId, spans, durationMs, hasError } = trace;
  return (
    <tr data-trace={id}>
      <td>{time(startMs)}</td>
      <td>
        <a href={traceHref(id)}>
          <span class={`service-name of-${service}`}>{service}</span> {methodName(name)}
        </a>
      </td>
      <td>{hasError ? <span class="tag error">{code || 'error'}</span> : code}</td>
      <td>{orderId && <a href={orderHref(orderId)}>{shortId(orderId)}</a>}</td>
      <td class="number">{count(spans)}</td>
      <td class="number">{milliseconds(durationMs)}</td>
      <td class="length">
        <span
          aria-hidden="true"
          class={`span-bar of-${service}`}
          style={{ width: `${(100 * durationMs) / longestMs}%` }}
        />
      </td>
    </tr>
  );
}
