import { searchHref } from '../data/router.ts';

/** The fields of `GET /api/traces`. */
const names = ['order', 'method', 'code', 'service', 'minMs'] as const;
export type Fields = Readonly<Record<(typeof names)[number], string>>;

const labels: Fields = {
  order: 'Order id',
  method: 'Method',
  code: 'Code',
  service: 'Service',
  minMs: 'At least, ms',
};
const hints: Fields = {
  order: '019a…',
  method: 'PlaceOrder',
  code: 'FAILED_PRECONDITION',
  service: 'orders',
  minMs: '50',
};

const widths: Partial<Fields> = { order: 'wide', service: 'narrow', minMs: 'narrow' };

export function fieldsOf(search: URLSearchParams): Fields {
  return Object.fromEntries(names.map((name) => [name, search.get(name) ?? ''])) as unknown as Fields;
}

/** The search is in the URL, so that it can be shared and the browser's back button works. */
export function TraceSearch({ fields }: { readonly fields: Fields }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    location.hash = searchHref(
      Object.fromEntries(names.map((name) => [name, String(form.get(name)).trim()])),
    );
  };
  return (
    <search>
      <form class="search" onSubmit={submit}>
        {names.map((name) => (
          <label key={name} class={widths[name]}>
            {labels[name]}
            <input
              name={name}
              defaultValue={fields[name]}
              placeholder={hints[name]}
              inputMode={name === 'minMs' ? 'numeric' : 'text'}
              autocomplete="off"
              spellcheck={false}
            />
          </label>
        ))}
        <button type="submit">Search</button>
        {Object.values(fields).some((value) => value !== '') && <a href={searchHref({})}>Clear</a>}
      </form>
    </search>
  );
}
