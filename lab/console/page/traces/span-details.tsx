import type { Span } from '../../api.ts';
import { orderHref, traceHref } from '../data/router.ts';
import { fineTime, milliseconds } from '../widgets/format.ts';

/** Attributes and links of the selected span. */
export function SpanDetails({ span }: { readonly span: Span }) {
  const { name, service, kind, code, startMs, durationMs, attributes, links } = span;
  const rows: readonly (readonly [string, string])[] = [
    ['service', service],
    ['kind', kind],
    ...(code === null ? [] : [['code', code] as const]),
    ['start', fineTime(startMs)],
    ['duration', milliseconds(durationMs)],
    ...Object.entries(attributes).map(([key, value]) => [key, String(value)] as const),
  ];
  return (
    <section class="details" aria-label="Selected span">
      <h3>{name}</h3>
      <dl>
        {rows.map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{key === 'order.id' ? <a href={orderHref(value)}>{value}</a> : value}</dd>
          </div>
        ))}
      </dl>
      {links.length > 0 && (
        <p>
          {links.length === 1 ? 'Linked trace: ' : 'Linked traces: '}
          {links.map((id) => (
            <>
              <a key={id} href={traceHref(id)}>
                {id.slice(0, 8)}
              </a>{' '}
            </>
          ))}
        </p>
      )}
    </section>
  );
}
