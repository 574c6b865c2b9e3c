import { computed, signal } from '@preact/signals';

export const tabs = ['overview', 'signals', 'traces'] as const;
export type Tab = (typeof tabs)[number];

/** The fragment of the URL: `#/orders/ID`, `#/traces?order=ID`. */
export interface Route {
  readonly tab: Tab;
  /** Id of the order or of the trace whose page is open. */
  readonly order?: string;
  readonly trace?: string;
  readonly search: URLSearchParams;
}

const fragment = signal(location.hash);
addEventListener('hashchange', () => {
  fragment.value = location.hash;
});

export const route = computed(() => parse(fragment.value));

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [first, id] = path.split('/');
  const search = new URLSearchParams(query);
  if (first === 'orders' && id) return { tab: 'overview', order: id, search };
  if (first === 'traces') return { tab: 'traces', search, ...(id && { trace: id }) };
  return { tab: first === 'signals' ? 'signals' : 'overview', search };
}

export function orderHref(id: string): string {
  return `#/orders/${id}`;
}

export function traceHref(id: string): string {
  return `#/traces/${id}`;
}

/** Returns the address of a search. Empty fields are omitted. */
export function searchHref(fields: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== ''));
  return query.size > 0 ? `#/traces?${query}` : '#/traces';
}
